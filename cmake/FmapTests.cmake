# SPDX-License-Identifier: BSD-3-Clause
# Test executables with Catch2 2.13 or 3.x, and tests of what must not compile.

find_package(Catch2 REQUIRED)
include(Catch)

# Runs a Catch2 session; with Catch2 2 this file alone compiles its implementation.
add_library(fmap_run_catch OBJECT "${PROJECT_SOURCE_DIR}/tests/support/run_catch.cpp")
fmap_target(fmap_run_catch)
target_compile_options(fmap_run_catch PRIVATE -O0 -g0)   # large, and not what is tested
target_include_directories(fmap_run_catch PUBLIC "${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(fmap_run_catch PUBLIC Catch2::Catch2)

# fmap_add_layer(NAME LINK TARGET... [FROM GLOB...] [DEFINE MACRO...] [INIT]): the tests in tests/NAME/*.cpp, or in
# tests/GLOB, as one executable, each test case a ctest test of its own. INIT: main calls fmap::init first. Test
# cases whose name ends in "(alone)" run while no other test runs.
function(fmap_add_layer layer)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INIT" "" "FROM;LINK;DEFINE")
  if(NOT arg_FROM)
    set(arg_FROM "${layer}/*.cpp")
  endif()
  list(TRANSFORM arg_FROM PREPEND "${PROJECT_SOURCE_DIR}/tests/")
  file(GLOB sources CONFIGURE_DEPENDS ${arg_FROM})
  if(NOT sources)
    return()
  endif()
  set(target tests_${layer})
  add_executable(${target} ${sources} "${PROJECT_SOURCE_DIR}/tests/support/main.cpp")
  fmap_target(${target})
  target_include_directories(${target} PRIVATE
    "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE ${arg_LINK} fmap_run_catch)
  target_compile_definitions(${target} PRIVATE ${arg_DEFINE})
  if(arg_INIT)
    target_compile_definitions(${target} PRIVATE FMAP_TESTS_INIT)
    # These checks of pointers take a third of such a build's time, and AddressSanitizer finds most of what they find.
    # The library, and the tests of what is below CAF, have them.
    if(FMAP_SANITIZE MATCHES "undefined")
      target_compile_options(${target} PRIVATE -fno-sanitize=null,object-size,alignment)
    endif()
  endif()

  catch_discover_tests(${target}
    TEST_PREFIX "${layer}/"
    TEST_LIST ${target}_names
    PROPERTIES TIMEOUT 300 LABELS ${layer})

  set(alone "${CMAKE_CURRENT_BINARY_DIR}/${target}_alone.cmake")
  file(WRITE "${alone}"
    "foreach(name IN LISTS ${target}_names)\n"
    "  if(name MATCHES [[\\(alone\\)$]])\n"
    "    set_tests_properties(\"\${name}\" PROPERTIES RUN_SERIAL TRUE)\n"
    "  endif()\n"
    "endforeach()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${alone}")
endfunction()

# fmap_add_program(FILE LAYER SENTENCE PROPERTY VALUE...): tests/programs/FILE.cpp, which has its own main,
# as a test of that layer. The target tests_programs builds all of them.
add_custom_target(tests_programs)
function(fmap_add_program file layer sentence)
  set(target tests_${file})
  add_executable(${target} "${PROJECT_SOURCE_DIR}/tests/programs/${file}.cpp")
  fmap_target(${target})
  target_link_libraries(${target} PRIVATE fmap::fmap)
  add_dependencies(tests_programs ${target})
  add_test(NAME "${layer}/${sentence}" COMMAND ${target})
  set_tests_properties("${layer}/${sentence}" PROPERTIES LABELS ${layer} ${ARGN})
endfunction()

# fmap_add_compile_failures(): every tests/compile_fail/*.cpp must be refused by the compiler, with
# a message that matches the extended regular expression in its line "// expect: REGEX".
function(fmap_add_compile_failures)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/compile_fail/*.cpp")
  set(caf_dirs "$<TARGET_PROPERTY:CAF::core,INTERFACE_INCLUDE_DIRECTORIES>")
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_test(NAME "compile_fail: ${name}"
      COMMAND "${PROJECT_SOURCE_DIR}/cmake/compile_fail" "${source}" "${CMAKE_CXX_COMPILER}"
        -std=c++20 -fmessage-length=0 -fdiagnostics-color=never
        -I "${PROJECT_SOURCE_DIR}/libfmap" -I "${FMAP_GENERATED_INCLUDES}" -I "${PROJECT_SOURCE_DIR}"
        "$<$<BOOL:${caf_dirs}>:-isystem;$<JOIN:${caf_dirs},;-isystem;>>"
      COMMAND_EXPAND_LISTS)
    set_tests_properties("compile_fail: ${name}" PROPERTIES TIMEOUT 300 LABELS compile_fail)
  endforeach()
endfunction()
