# SPDX-License-Identifier: BSD-3-Clause
# What every target of ours is built with.

# fmap_target(TARGET): C++20, our warnings, and the sanitizers asked for. The code is position independent: the static
# library may become a part of a plugin or of a Python module.
function(fmap_target target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON DEFINE_SYMBOL "")
  # Wherever the sources lie, the same bytes are made of them.
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
  if(FMAP_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(FMAP_SANITIZE)
    # Relative: an absolute name would keep ccache from finding what another clone has compiled.
    file(RELATIVE_PATH ignored "${CMAKE_BINARY_DIR}" "${PROJECT_SOURCE_DIR}/cmake/sanitizers.ignore")
    target_compile_options(${target} PRIVATE
      "-fsanitize=${FMAP_SANITIZE}" -fno-omit-frame-pointer
      "$<$<IN_LIST:${target},fmap;fmap_core;fmap_remote>:-O1>"   # the rest compiles twice as fast without
      "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>"   # g++ sees ghosts in instrumented library code
      "$<$<CXX_COMPILER_ID:Clang>:-fsanitize-ignorelist=${ignored}>")
    if(FMAP_SANITIZE MATCHES "undefined")
      target_compile_options(${target} PRIVATE -fno-sanitize=vptr)   # clang's check wants free descriptors
    endif()
    target_link_options(${target} PUBLIC "-fsanitize=${FMAP_SANITIZE}")
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE" AND FMAP_SANITIZE MATCHES "address")
      target_link_options(${target} PRIVATE -no-pie)   # worker processes start in half of the time
    endif()
  endif()
endfunction()
