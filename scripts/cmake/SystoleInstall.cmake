# SPDX-License-Identifier: Apache-2.0
# Installation and the exported package: find_package(Systole) gives Systole::MODULE targets.
include(CMakePackageConfigHelpers)

get_property(systole_libraries GLOBAL PROPERTY SYSTOLE_LIBRARIES)
install(TARGETS ${systole_libraries} systole_systemc EXPORT SystoleTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
get_property(systole_header_dirs GLOBAL PROPERTY SYSTOLE_HEADER_DIRS)
foreach(entry IN LISTS systole_header_dirs)
  string(REPLACE "|" ";" entry "${entry}")
  list(GET entry 0 folder)
  list(GET entry 1 module)
  install(DIRECTORY "${folder}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/systole/${module}"
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
endforeach()
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/systole/configs)
install(EXPORT SystoleTargets NAMESPACE Systole:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Systole)
configure_package_config_file(scripts/cmake/SystoleConfig.cmake.in "${PROJECT_BINARY_DIR}/SystoleConfig.cmake"
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Systole)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/SystoleConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/SystoleConfig.cmake" "${PROJECT_BINARY_DIR}/SystoleConfigVersion.cmake"
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Systole)
