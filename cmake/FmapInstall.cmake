# SPDX-License-Identifier: BSD-3-Clause
# `cmake --install`: the library, its headers, and what find_package(fmap CONFIG) and pkg-config need.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/fmap")

# Components, of which packages are made: runtime, development, archives (static libraries), tool.
install(TARGETS fmap EXPORT fmapTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT archives
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT development
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
# find_package(fmap COMPONENTS nodes) loads these, too.
install(TARGETS fmap_nodes EXPORT fmapNodesTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT archives)
install(EXPORT fmapTargets NAMESPACE fmap:: DESTINATION "${package_dir}" COMPONENT development)
install(EXPORT fmapNodesTargets NAMESPACE fmap:: DESTINATION "${package_dir}" COMPONENT development)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/libfmap/fmap"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
  FILES_MATCHING PATTERN "*.hpp")
install(FILES "${FMAP_GENERATED_INCLUDES}/fmap/version.hpp"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/fmap" COMPONENT development)
# The messages, which the headers about actors include as "actors/...".
install(FILES
  "${PROJECT_SOURCE_DIR}/actors/caf_compat.hpp" "${PROJECT_SOURCE_DIR}/actors/protocol.hpp"
  "${PROJECT_SOURCE_DIR}/actors/neighbour.hpp"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/fmap/actors" COMPONENT development)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT licence)

# 0.17.6 -> 0.17: the versions of CAF that an installed fmap works with.
string(REGEX MATCH "^[0-9]+[.][0-9]+" FMAP_CAF_MINOR "${CAF_VERSION}")
string(REPLACE "." "[.]" FMAP_CAF_MINOR_REGEX "${FMAP_CAF_MINOR}")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/fmapConfig.cmake.in" "${PROJECT_BINARY_DIR}/fmapConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/fmapConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/fmapConfig.cmake"
  "${PROJECT_BINARY_DIR}/fmapConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FmapFindCAF.cmake"
  DESTINATION "${package_dir}" COMPONENT development)

include(FmapPkgConfig)
