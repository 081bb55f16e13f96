# SPDX-License-Identifier: BSD-3-Clause
# Runs a program that must succeed and print exactly what is in a file:
# cmake -D program=PATH -D expected=FILE -P expect_output.cmake
execute_process(COMMAND "${program}" RESULT_VARIABLE status OUTPUT_VARIABLE output)
file(READ "${expected}" wanted)

if(NOT status EQUAL 0)
  message(FATAL_ERROR "${program} ended with ${status}")
elseif(NOT output STREQUAL wanted)
  message(FATAL_ERROR "${program} printed\n${output}\ninstead of\n${wanted}")
endif()
