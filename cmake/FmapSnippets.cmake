# SPDX-License-Identifier: BSD-3-Clause
# Documentation that compiles: every ```cpp block of a Markdown file is built and run as a test.
#
# - A block with `int main` is a program. If a ```text or ```console block follows directly, the
#   program must print exactly that (```text unordered: the same lines in any order).
# - A block after `<!-- snippet: wrap -->` becomes the body of a main.
# - A block after `<!-- snippet: skip REASON -->` is left out.
# - Any other ```cpp block stops the configuration.

# Registers one collected block; called by fmap_add_snippets.
function(_fmap_add_snippet document number line mode code has_output unordered output)
  cmake_path(GET document STEM stem)
  cmake_path(GET document FILENAME file_name)
  set(name "snippet_${stem}_${number}")
  set(folder "${PROJECT_BINARY_DIR}/snippets")
  set(source "${folder}/${stem}_${number}.cpp")

  if(mode STREQUAL "wrap")
    set(includes "")
    set(body "")
    set(rest "${code}")
    while(NOT rest STREQUAL "")     # lift the #include lines out of the body
      string(FIND "${rest}" "\n" end)
      string(SUBSTRING "${rest}" 0 ${end} text)
      math(EXPR end "${end} + 1")
      string(SUBSTRING "${rest}" ${end} -1 rest)
      if("${text}" MATCHES "^#include")
        string(APPEND includes "${text}\n")
        string(APPEND body "\n")
      else()
        string(APPEND body "${text}\n")
      endif()
    endwhile()
    string(CONCAT program
      "#include <fmap/fmap.hpp>\n"
      "#include <chrono>\n#include <iostream>\n#include <numeric>\n#include <ranges>\n"
      "#include <string>\n#include <vector>\n"
      "${includes}"
      "int main(int argc, char** argv) {\n"
      "  fmap::init(argc, argv);\n"
      "  using namespace std::chrono_literals;\n"
      "#line ${line} \"${file_name}\"\n"
      "${body}"
      "}\n")
  else()
    set(program "#line ${line} \"${file_name}\"\n${code}")
  endif()
  _fmap_write_if_different("${source}" "${program}")

  add_executable(${name} "${source}")
  fmap_target(${name})
  target_link_libraries(${name} PRIVATE fmap::fmap)
  if("${program}" MATCHES "fmap/node_pool.hpp")
    target_link_libraries(${name} PRIVATE fmap::nodes)
  endif()
  if(mode STREQUAL "wrap")
    target_compile_options(${name} PRIVATE -Wno-unused)
  endif()

  set(expectation "any")
  if(has_output)
    set(expectation "${folder}/${stem}_${number}.expected")
    _fmap_write_if_different("${expectation}" "${output}")
  endif()
  if(unordered)
    set(order "unordered")
  else()
    set(order "ordered")
  endif()
  add_test(NAME "snippet: ${file_name}:${line}"
    COMMAND "${PROJECT_SOURCE_DIR}/cmake/run_snippet"
      "$<TARGET_FILE:${name}>" "${expectation}" "${order}")
  set_tests_properties("snippet: ${file_name}:${line}" PROPERTIES TIMEOUT 60 LABELS snippets)
endfunction()

# A file that stays the same keeps its time stamp, so nothing is built again.
function(_fmap_write_if_different path content)
  if(EXISTS "${path}")
    file(READ "${path}" before)
    if("${before}" STREQUAL "${content}")
      return()
    endif()
  endif()
  file(WRITE "${path}" "${content}")
endfunction()

# fmap_add_snippets(DOCUMENT): reads the file line by line.
function(fmap_add_snippets document)
  if(NOT EXISTS "${document}")
    return()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${document}")
  cmake_path(GET document FILENAME file_name)
  file(READ "${document}" rest)
  string(APPEND rest "\n")

  set(state "prose")       # prose, cpp, output, other
  set(request "")          # wrap or skip: what the last comment asked for
  set(number 0)            # of cpp blocks
  set(line_number 0)
  set(pending FALSE)       # a program was read and waits for its output block
  set(code "")
  set(output "")

  while(NOT "${rest}" STREQUAL "")
    string(FIND "${rest}" "\n" end)
    string(SUBSTRING "${rest}" 0 ${end} line)
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${rest}" ${end} -1 rest)
    math(EXPR line_number "${line_number} + 1")

    if(state STREQUAL "cpp")
      if(NOT "${line}" MATCHES "^```[ \t]*$")
        string(APPEND code "${line}\n")
        continue()
      endif()
      set(state "prose")
      if(request STREQUAL "skip")
        # left out, for a reason
      elseif(request STREQUAL "wrap")
        set(pending TRUE)
        set(mode "wrap")
      elseif("${code}" MATCHES "int main *\\(")
        set(pending TRUE)
        set(mode "program")
      else()
        message(FATAL_ERROR "${file_name}:${first_line}: this cpp block has no main; put "
          "'<!-- snippet: wrap -->' or '<!-- snippet: skip REASON -->' on the line above it")
      endif()
      set(request "")

    elseif(state STREQUAL "output")
      if(NOT "${line}" MATCHES "^```[ \t]*$")
        string(APPEND output "${line}\n")
        continue()
      endif()
      set(state "prose")
      _fmap_add_snippet("${document}" ${number} ${first_line} ${mode} "${code}"
        TRUE ${unordered} "${output}")
      set(pending FALSE)

    elseif(state STREQUAL "other")
      if("${line}" MATCHES "^[ \t]*```[ \t]*$")
        set(state "prose")
      endif()

    elseif("${line}" MATCHES "^[ \t]*$")
      # a blank line changes nothing

    else()   # prose
      if(pending AND "${line}" MATCHES "^```(text|console)[ \t]*(unordered)?[ \t]*$")
        set(state "output")
        set(output "")
        set(unordered FALSE)
        if("${CMAKE_MATCH_2}" STREQUAL "unordered")
          set(unordered TRUE)
        endif()
        continue()
      endif()
      if(pending)
        _fmap_add_snippet("${document}" ${number} ${first_line} ${mode} "${code}" FALSE FALSE "")
        set(pending FALSE)
      endif()
      if("${line}" MATCHES "^```cpp[ \t]*$")
        math(EXPR number "${number} + 1")
        math(EXPR first_line "${line_number} + 1")
        set(state "cpp")
        set(code "")
      elseif("${line}" MATCHES "^[ \t]*```(c\\+\\+|cc|cxx|cpp)")
        message(FATAL_ERROR "${file_name}:${line_number}: write ```cpp, at the start of the line")
      elseif("${line}" MATCHES "^[ \t]*```")
        set(state "other")
        set(request "")
      elseif("${line}" MATCHES "^<!-- snippet: wrap -->[ \t]*$")
        set(request "wrap")
      elseif("${line}" MATCHES "^<!-- snippet: skip +[^ ].*-->[ \t]*$")
        set(request "skip")
      elseif("${line}" MATCHES "<!-- *snippet")
        message(FATAL_ERROR "${file_name}:${line_number}: not understood: ${line}")
      else()
        set(request "")
      endif()
    endif()
  endwhile()

  if(NOT state STREQUAL "prose")
    message(FATAL_ERROR "${file_name}: the block at line ${first_line} is not closed")
  endif()
  if(pending)
    _fmap_add_snippet("${document}" ${number} ${first_line} ${mode} "${code}" FALSE FALSE "")
  endif()
endfunction()
