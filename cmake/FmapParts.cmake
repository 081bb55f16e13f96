# SPDX-License-Identifier: BSD-3-Clause
# Parts that need more than the library does. AUTO: built where what they need is there. ON: an error if it is not.

# fmap_part(OPTION TEXT): such an option; AUTO, but OFF inside another project.
function(fmap_part option text)
  set(default OFF)
  if(PROJECT_IS_TOP_LEVEL)
    set(default AUTO)
  endif()
  set(${option} ${default} CACHE STRING "${text}: ON, OFF, or AUTO, where what they need is there")
  set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
endfunction()

# fmap_left_out(OPTION WHAT NEEDS PACKAGE): WHAT is not built, as NEEDS is missing, which PACKAGE has on Debian.
function(fmap_left_out option what needs package)
  if(${option} STREQUAL "AUTO")
    message(STATUS "Without ${what}: ${needs} was not found (Debian: apt install ${package})")
  else()
    message(FATAL_ERROR
      "${option} is on, but ${what} cannot be built: ${needs} was not found (Debian: apt install ${package})")
  endif()
endfunction()
