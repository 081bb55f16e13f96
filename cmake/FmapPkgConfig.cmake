# SPDX-License-Identifier: BSD-3-Clause
# fmap.pc and fmap-nodes.pc. They are found wherever the installed files are moved to: every path is relative to the
# file, except what was configured as absolute (CMAKE_INSTALL_LIBDIR, for example by Nix).

# fmap_pc_dir(RESULT DIRECTORY): as it is written in a .pc file.
function(fmap_pc_dir result directory)
  if(IS_ABSOLUTE "${directory}")
    set(${result} "${directory}" PARENT_SCOPE)
  else()
    set(${result} "\${prefix}/${directory}" PARENT_SCOPE)
  endif()
endfunction()

set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(IS_ABSOLUTE "${pc_dir}")
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH up "/${pc_dir}" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(pc_prefix "\${pcfiledir}/${up}")
endif()
fmap_pc_dir(pc_libdir "${CMAKE_INSTALL_LIBDIR}")
fmap_pc_dir(pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")

# CAF 0.17 has no .pc. Its headers and library are named where the compiler does not look by itself.
get_target_property(caf_includes CAF::core INTERFACE_INCLUDE_DIRECTORIES)
get_target_property(caf_library CAF::core LOCATION)
set(pc_cflags " -pthread")
foreach(directory IN LISTS caf_includes)
  if(IS_ABSOLUTE "${directory}" AND NOT directory IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    string(APPEND pc_cflags " -I${directory}")
  endif()
endforeach()
set(pc_caf_libs "-lcaf_core -pthread")
cmake_path(GET caf_library PARENT_PATH caf_directory)
cmake_path(NORMAL_PATH caf_directory)
if(NOT caf_directory IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
  string(PREPEND pc_caf_libs "-L${caf_directory} ")
endif()

# fmap_pc(NAME REQUIRES LIBRARIES): that file. The same line links both kinds of library: CAF is named for the shared one,
# too, as the headers about actors are about CAF's classes.
function(fmap_pc pc_name pc_requires pc_libs)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/fmap.pc.in" "${PROJECT_BINARY_DIR}/${pc_name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${pc_name}.pc" DESTINATION "${pc_dir}" COMPONENT development)
endfunction()

fmap_pc(fmap "" "-lfmap ${pc_caf_libs}")
if(BUILD_SHARED_LIBS)
  fmap_pc(fmap-nodes "fmap" "")
else()
  set(pc_tls "")
  if(OPENSSL_FOUND)
    set(pc_tls "libssl libcrypto")
  endif()
  fmap_pc(fmap-nodes "${pc_tls}" "-lfmap_nodes -lfmap ${pc_caf_libs}")
endif()
