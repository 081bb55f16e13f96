# SPDX-License-Identifier: BSD-3-Clause
# Finds a CAF that has no CMake config, such as Debian's and Ubuntu's libcaf-dev 0.17.6.
#
# Components: core, io, openssl. Defines for each an imported target CAF::<component>, and
# CAF_FOUND, CAF_VERSION, CAF_INCLUDE_DIR, CAF_<component>_LIBRARY.

find_path(CAF_INCLUDE_DIR caf/config.hpp)

set(CAF_VERSION "")
if(CAF_INCLUDE_DIR)
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" caf_version_line
    REGEX "^#define CAF_VERSION [0-9]+")
  if(caf_version_line MATCHES "CAF_VERSION ([0-9]+)([0-9][0-9])$")   # 1706: 0.17.6
    math(EXPR caf_minor "${CMAKE_MATCH_1} % 100")
    math(EXPR caf_major "${CMAKE_MATCH_1} / 100")
    math(EXPR caf_patch "${CMAKE_MATCH_2}")
    set(CAF_VERSION "${caf_major}.${caf_minor}.${caf_patch}")
  endif()
endif()

set(CAF_core_requires "")
set(CAF_io_requires CAF::core)
set(CAF_openssl_requires CAF::io CAF::core)

foreach(component IN LISTS CAF_FIND_COMPONENTS)
  find_library(CAF_${component}_LIBRARY caf_${component})
  mark_as_advanced(CAF_${component}_LIBRARY)
  if(CAF_INCLUDE_DIR AND CAF_${component}_LIBRARY)
    set(CAF_${component}_FOUND TRUE)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_core_LIBRARY CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION
  HANDLE_COMPONENTS)
mark_as_advanced(CAF_INCLUDE_DIR)

if(CAF_FOUND)
  find_package(Threads REQUIRED)
  foreach(component IN LISTS CAF_FIND_COMPONENTS)
    if(CAF_${component}_FOUND AND NOT TARGET CAF::${component})
      add_library(CAF::${component} UNKNOWN IMPORTED)
      set_target_properties(CAF::${component} PROPERTIES
        IMPORTED_LOCATION "${CAF_${component}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "Threads::Threads;${CAF_${component}_requires}")
    endif()
  endforeach()
endif()
