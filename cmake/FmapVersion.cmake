# SPDX-License-Identifier: BSD-3-Clause
# Makes <fmap/version.hpp> of project(VERSION), below FMAP_GENERATED_INCLUDES. Included by the project; run by itself,
# cmake -D FMAP_GENERATED_INCLUDES=FOLDER -P cmake/FmapVersion.cmake, it reads the version from CMakeLists.txt.

set(fmap_version "${fmap_VERSION}")
if(CMAKE_SCRIPT_MODE_FILE)
  file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../CMakeLists.txt" fmap_version REGEX "^  VERSION [0-9.]+$")
endif()
if(NOT fmap_version MATCHES "([0-9]+)\\.([0-9]+)\\.([0-9]+)$")
  message(FATAL_ERROR "fmap's version is not understood: '${fmap_version}'")
endif()
set(FMAP_MAJOR "${CMAKE_MATCH_1}")
set(FMAP_MINOR "${CMAKE_MATCH_2}")
set(FMAP_PATCH "${CMAKE_MATCH_3}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/../libfmap/fmap/version.hpp.in"
  "${FMAP_GENERATED_INCLUDES}/fmap/version.hpp" @ONLY)
