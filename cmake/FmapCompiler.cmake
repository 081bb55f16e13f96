# SPDX-License-Identifier: BSD-3-Clause
# Refuses compilers that would answer with pages of template errors. <fmap/detail/api.hpp> says the same to users.
# Run by itself it is told the compiler:
# cmake -D CMAKE_CXX_COMPILER_ID=GNU -D CMAKE_CXX_COMPILER_VERSION=11.4 -P cmake/FmapCompiler.cmake

set(fmap_oldest_GNU 12)
set(fmap_oldest_Clang 16)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_FLAGS MATCHES "-stdlib=libc\\+\\+")
  set(fmap_oldest_Clang 15)   # only with g++'s library it needs 16
endif()
if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS "${fmap_oldest_${CMAKE_CXX_COMPILER_ID}}")
  message(FATAL_ERROR "fmap needs g++ 12 or newer, or clang++ 16 or newer; "
    "this is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}. Another is chosen with -DCMAKE_CXX_COMPILER=g++-12")
endif()
