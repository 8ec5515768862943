# SPDX-License-Identifier: Apache-2.0
# Compiler settings, the <systole/...> include tree, and the one way a library of the project is declared.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

find_program(SYSTOLE_CCACHE ccache)
if(SYSTOLE_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${SYSTOLE_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SYSTOLE_CCACHE}")
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(systole_warnings INTERFACE)
target_compile_options(systole_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>
  $<$<BOOL:${SYSTOLE_WERROR}>:-Werror>)
if(NOT SYSTOLE_SANITIZE)  # whose red zones make frames large that are not
  target_compile_options(systole_warnings INTERFACE -Wframe-larger-than=16384)
endif()

# Rounding is part of the contract (docs/arithmetic.md): a*b+c is never fused unless the source says fma.
add_compile_options(-ffp-contract=off)

if(SYSTOLE_SANITIZE)
  add_compile_options("-fsanitize=${SYSTOLE_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options("-fsanitize=${SYSTOLE_SANITIZE}")
endif()

if(SYSTOLE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage feedback for libFuzzer
endif()

# Debian's SystemC is built as C++17 and checks the standard at link time; SC_CPLUSPLUS names that standard,
# so that C++20 code links with the check still on.
pkg_check_modules(SYSTEMC REQUIRED IMPORTED_TARGET systemc tlm)
add_library(systole_systemc INTERFACE)
target_link_libraries(systole_systemc INTERFACE PkgConfig::SYSTEMC)
target_compile_definitions(systole_systemc INTERFACE SC_CPLUSPLUS=201703L)
if(SYSTOLE_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Every program with a SystemC kernel; Clang's run-time library is static and cannot be preceded.
  add_library(systole_systemc_asan OBJECT "${CMAKE_CURRENT_LIST_DIR}/systemc_asan.cpp")
  set(in_program "$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>")
  target_sources(systole_systemc INTERFACE
    "$<BUILD_INTERFACE:$<${in_program}:$<TARGET_OBJECTS:systole_systemc_asan>>>")
endif()

# Headers are included as <systole/MODULE/NAME.hpp>. The build tree maps each module to its source folder with
# a link, so the repository root, whose tlm/ would shadow <tlm>, is on no include path.
set(SYSTOLE_INCLUDE_TREE "${PROJECT_BINARY_DIR}/include")
file(MAKE_DIRECTORY "${SYSTOLE_INCLUDE_TREE}/systole")

# systole_library(MODULE SOURCES... [DEPENDS TARGETS...] [HEADERS FOLDER]): the static library systole_MODULE (alias
# Systole::MODULE) of the current source folder, its headers visible as <systole/MODULE/...> and installed. HEADERS names
# the module whose headers they are, for a second library in a folder.
function(systole_library module)
  cmake_parse_arguments(ARG "" "HEADERS" "SOURCES;DEPENDS" ${ARGN})
  set(target systole_${module})
  if(NOT ARG_HEADERS)
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${SYSTOLE_INCLUDE_TREE}/systole/${module}" SYMBOLIC)
    set_property(GLOBAL APPEND PROPERTY SYSTOLE_HEADER_DIRS "${CMAKE_CURRENT_SOURCE_DIR}|${module}")
  endif()
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(Systole::${module} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${module})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC
    "$<BUILD_INTERFACE:${SYSTOLE_INCLUDE_TREE}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} PRIVATE $<BUILD_INTERFACE:systole_warnings>)
  set_property(GLOBAL APPEND PROPERTY SYSTOLE_LIBRARIES ${target})
endfunction()
