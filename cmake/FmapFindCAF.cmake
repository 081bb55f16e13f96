# SPDX-License-Identifier: BSD-3-Clause
# Finds CAF: by its CMake config (0.18, 1.x), else by FindCAF.cmake (0.17). fmap needs the library core alone; the
# others become targets where they are, for those who use them.
# Used by this project and, installed, by fmapConfig.cmake.

find_package(CAF CONFIG QUIET)
if(NOT CAF_FOUND)
  list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
  find_package(CAF MODULE QUIET COMPONENTS core OPTIONAL_COMPONENTS io openssl)
  list(POP_FRONT CMAKE_MODULE_PATH)
endif()

if(CAF_FOUND AND NOT TARGET CAF::core)
  set(CAF_FOUND FALSE)
  set(CAF_NOT_FOUND_MESSAGE "CAF ${CAF_VERSION} was found without its library core.")
endif()

if(NOT CAF_FOUND AND NOT CMAKE_FIND_PACKAGE_NAME)
  message(FATAL_ERROR
    "fmap needs the C++ Actor Framework 0.17.6, or 1.1 and newer. ${CAF_NOT_FOUND_MESSAGE}\n"
    "On Debian and Ubuntu: apt install libcaf-dev. Elsewhere: -DCMAKE_PREFIX_PATH=<where CAF is>")
endif()
