# SPDX-License-Identifier: Apache-2.0
# Verilates the tensor engine and wraps it into the C ABI of testbench/cosim/systole_rtl.h.
include(CheckCXXCompilerFlag)
find_package(verilator REQUIRED HINTS "$ENV{VERILATOR_ROOT}" /usr/share/verilator)

set(SYSTOLE_RTL_DIR "${PROJECT_SOURCE_DIR}/rtl")
# Latency of the pipeline besides rows and columns: edge register, operand register, product, chain, combined
# result, result register, less the two that rows + columns count in excess.
set(SYSTOLE_RTL_STAGE_CYCLES 4)
set(SYSTOLE_RTL_WEIGHT_LANES 4)
set(SYSTOLE_RTL_MIN_INTERVAL 64)
set(SYSTOLE_RTL_COMMAND_DEPTH 4)

# Two-state values, no run-time assertions; loops over rows and columns stay loops, so that the C++ compiler
# vectorises them. SYSTOLE_RTL_MARCH is native unless the libraries are built for other machines.
set(SYSTOLE_VERILATOR_FLAGS -Wall -O3 --x-assign fast --x-initial fast --noassert --no-timing --unroll-count 3)
set(SYSTOLE_VERILATED_CXX_FLAGS -O3 -w)
if(SYSTOLE_RTL_MARCH)
  list(APPEND SYSTOLE_VERILATED_CXX_FLAGS "-march=${SYSTOLE_RTL_MARCH}")
endif()
# GCC keeps constants in general registers otherwise and broadcasts them in every iteration (10 %).
check_cxx_compiler_flag(-mtune-ctrl=^inter_unit_moves_to_vec SYSTOLE_HAS_MTUNE_CTRL)
if(SYSTOLE_HAS_MTUNE_CTRL)
  list(APPEND SYSTOLE_VERILATED_CXX_FLAGS -mtune-ctrl=^inter_unit_moves_to_vec)
endif()

# systole_rtl_sources(OUT): the engine's files in compilation order, absolute, lint waivers first.
function(systole_rtl_sources out)
  file(STRINGS "${SYSTOLE_RTL_DIR}/tensor_engine.f" names)
  list(TRANSFORM names PREPEND "${SYSTOLE_RTL_DIR}/")
  set(${out} "${SYSTOLE_RTL_DIR}/lint.vlt" ${names} PARENT_SCOPE)
endfunction()

# systole_verilate(TARGET TOP PREFIX [WAVES] SOURCES... FLAGS...): a static library of a Verilated top, compiled to be
# fast and without the project's warnings.
function(systole_verilate target top prefix)
  cmake_parse_arguments(ARG "WAVES" "" "SOURCES;FLAGS" ${ARGN})
  add_library(${target} STATIC)
  set(waves)
  if(ARG_WAVES)
    set(waves TRACE_FST)
  endif()
  verilate(${target} SOURCES ${ARG_SOURCES} TOP_MODULE ${top} PREFIX ${prefix} ${waves}
    DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/${target}.verilated"
    VERILATOR_ARGS ${SYSTOLE_VERILATOR_FLAGS} ${ARG_FLAGS})
  target_compile_options(${target} PRIVATE ${SYSTOLE_VERILATED_CXX_FLAGS})
endfunction()

# systole_rtl_library(VIEW ROWS COLUMNS [WAVES]): libsystole_rtl_VIEW_ROWSxCOLUMNS[_wave].so, VIEW flat or structural.
function(systole_rtl_library view rows columns)
  cmake_parse_arguments(ARG "WAVES" "" "" ${ARGN})
  set(name "systole_rtl_${view}_${rows}x${columns}")
  set(waves)
  if(ARG_WAVES)
    string(APPEND name "_wave")
    set(waves WAVES)
  endif()
  if(view STREQUAL "flat")
    set(flat 1)
  else()
    set(flat 0)
  endif()
  set(prefix "V${name}")
  systole_rtl_sources(sources)
  systole_verilate(${name}_model tensor_engine ${prefix} ${waves} SOURCES ${sources}
    FLAGS -GRows=${rows} -GColumns=${columns} -GFlat=${flat} -GWeightLanes=${SYSTOLE_RTL_WEIGHT_LANES}
          -GMinInterval=${SYSTOLE_RTL_MIN_INTERVAL} -GCommandDepth=${SYSTOLE_RTL_COMMAND_DEPTH})
  if(NOT flat)
    # Every PE is code of its own: compile time is what matters.
    target_compile_options(${name}_model PRIVATE -O1)
  endif()
  set(wrapper "${PROJECT_SOURCE_DIR}/testbench/cosim/rtl_engine")
  add_library(${name} MODULE "${wrapper}/abi.cpp" "${wrapper}/engine.cpp")
  target_compile_definitions(${name} PRIVATE
    SYSTOLE_RTL_MODEL=${prefix}
    "SYSTOLE_RTL_MODEL_HEADER=\"${prefix}.h\""
    SYSTOLE_RTL_MIN_INTERVAL=${SYSTOLE_RTL_MIN_INTERVAL}
    SYSTOLE_RTL_COMMAND_DEPTH=${SYSTOLE_RTL_COMMAND_DEPTH}
    SYSTOLE_RTL_STAGE_CYCLES=${SYSTOLE_RTL_STAGE_CYCLES}
    "SYSTOLE_RTL_NAME=\"${view} ${rows}x${columns}\""
    $<$<BOOL:${ARG_WAVES}>:SYSTOLE_RTL_WAVES>)
  # Verilated headers are not written for the project's warnings.
  target_include_directories(${name} SYSTEM PRIVATE
    $<TARGET_PROPERTY:${name}_model,INCLUDE_DIRECTORIES>)
  target_link_libraries(${name} PRIVATE ${name}_model systole_cosim systole_warnings)
  # Several of these live in one process: only the ABI is visible, neither Verilator's runtime nor templates of the
  # C++ library.
  target_link_options(${name} PRIVATE "-Wl,--version-script=${wrapper}/exports.map")
  set_target_properties(${name} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/systole/rtl"
    LINK_DEPENDS "${wrapper}/exports.map")
  install(TARGETS ${name} LIBRARY DESTINATION lib/systole/rtl)
endfunction()
