# SPDX-License-Identifier: BSD-3-Clause
# `cpack -G DEB`: libfmap0.2, libfmap-dev and fmap (the tool). scripts/check-packages makes and tries them.
# The build must be of the shared library, with CMAKE_INSTALL_PREFIX=/usr. FMAP_STATIC_BUILD names a build folder of the
# static one, with the same prefix, whose archives go into libfmap-dev.

# As Debian's own tools, whoever makes the packages is asked in the environment.
set(maintainer "The fmap authors <root@localhost>")
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(FMAP_PACKAGE_MAINTAINER "${maintainer}" CACHE STRING "Whom the packages name")
set(FMAP_STATIC_BUILD "" CACHE PATH "Build folder of the static library, for packages")
mark_as_advanced(FMAP_PACKAGE_MAINTAINER FMAP_STATIC_BUILD)

set(abi "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
set(deb_runtime "libfmap${abi}")
set(deb_development libfmap-dev)
set(deb_tool fmap)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fmap)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "${FMAP_PACKAGE_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")   # each package has its own
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# CPack takes from the project "build folder;name;X;/" the components that CPACK_COMPONENTS_X lists.
set(CPACK_COMPONENTS_SHARED runtime development)
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};fmap;SHARED;/")
if(TARGET fmap_tool)
  list(APPEND CPACK_COMPONENTS_SHARED tool)
endif()
if(FMAP_STATIC_BUILD)
  set(CPACK_COMPONENTS_STATIC archives)
  list(APPEND CPACK_INSTALL_CMAKE_PROJECTS "${FMAP_STATIC_BUILD};fmap;STATIC;/")
endif()
set(CPACK_COMPONENT_RUNTIME_GROUP runtime)
set(CPACK_COMPONENT_DEVELOPMENT_GROUP development)
set(CPACK_COMPONENT_ARCHIVES_GROUP development)
set(CPACK_COMPONENT_TOOL_GROUP tool)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE "${PROJECT_HOMEPAGE_URL}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME "${deb_runtime}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
# A trigger and no scripts: Debian's policy, 8.1.1. CPack makes them all the same, until they are taken out.
set(CPACK_POST_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/no_scripts.cmake")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_LIST_DIR}/triggers")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "bounded parallel maps for C++, shared library
fmap maps any input range through a function on a pool of workers, which are
threads, processes that may crash, or processes on other machines, with at
most N items in flight, and hands the results out as they complete.

This package has the shared library.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME "${deb_development}")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${deb_runtime} (= ${PROJECT_VERSION}), libcaf-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "bounded parallel maps for C++, development files
fmap maps any input range through a function on a pool of workers, which are
threads, processes that may crash, or processes on other machines, with at
most N items in flight, and hands the results out as they complete.

This package has the headers, the static libraries, and what CMake and
pkg-config need.")
set(CPACK_COMPONENT_GROUP_RUNTIME_DESCRIPTION "${CPACK_COMPONENT_RUNTIME_DESCRIPTION}")
set(CPACK_COMPONENT_GROUP_DEVELOPMENT_DESCRIPTION "${CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION}")

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME "${deb_tool}")
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_TOOL_DESCRIPTION "runs a command for each line of its input, several at a time
As xargs -P and parallel do: with retries, time-outs, results in files, a
journal from which a run is taken up again, and with at most N items read
ahead, however long the input is.")
set(CPACK_COMPONENT_GROUP_TOOL_DESCRIPTION "${CPACK_COMPONENT_TOOL_DESCRIPTION}")

# -- what Debian wants in each package's folder of documents ---------------------------------------

find_program(GZIP gzip)
mark_as_advanced(GZIP)
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)   # of SOURCE_DATE_EPOCH
else()
  set(date "Thu, 01 Jan 2026 00:00:00 +0000")
endif()
string(TIMESTAMP year "%Y" UTC)
set(folder "${PROJECT_BINARY_DIR}/packaging")
file(WRITE "${folder}/changelog"
  "fmap (${PROJECT_VERSION}) unstable; urgency=medium\n\n"
  "  * Release ${PROJECT_VERSION}; CHANGELOG.md in the sources says what is new.\n\n"
  " -- ${FMAP_PACKAGE_MAINTAINER}  ${date}\n")
if(GZIP)
  execute_process(COMMAND "${GZIP}" -9nf -k changelog WORKING_DIRECTORY "${folder}")
endif()
file(READ "${PROJECT_SOURCE_DIR}/LICENSE" licence)
string(REGEX REPLACE "\n" "\n " licence "${licence}")
string(REGEX REPLACE "\n \n" "\n .\n" licence "${licence}")
string(REGEX REPLACE "\n \n" "\n .\n" licence "${licence}")
string(REGEX REPLACE "[ \n.]+$" "." licence "${licence}")
file(WRITE "${folder}/copyright"
  "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
  "Upstream-Name: fmap\n\nFiles: *\nCopyright: ${year}, The fmap authors\nLicense: BSD-3-clause\n ${licence}\n")
foreach(component runtime development tool)
  install(FILES "${folder}/copyright" "${folder}/changelog.gz"
    DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/${deb_${component}}" COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

include(CPack)
