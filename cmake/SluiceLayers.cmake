# sluice_cold(a.cpp ...): what runs when a gateway opens, in tests, on errors, or beside a network's time. Optimised builds
# make it small instead of fast, about half the size: libsluice_c, stripped, stays below 4 MB by it.
function(sluice_cold)
  # g++ 12 warns of values it lost sight of where it does not inline.
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS
    "$<$<CONFIG:Release,RelWithDebInfo>:-Os>;$<$<AND:$<CONFIG:Release,RelWithDebInfo>,$<CXX_COMPILER_ID:GNU>>:-Wno-maybe-uninitialized>")
endfunction()

# sluice_compact(LAYER): for a room of which, at -O2, a quarter would be the standard library's string functions, once more at
# every call.
function(sluice_compact layer)
  target_compile_options(sluice_${layer} PRIVATE
    $<$<AND:$<CONFIG:Release,RelWithDebInfo>,$<CXX_COMPILER_ID:GNU>>:--param=max-inline-insns-single=15>)
endfunction()

# sluice_layer(NAME SOURCES a.cpp ... LAYERS base http ... PACKAGES fmt::fmt ...)
# One OBJECT target per room. LAYERS restates the table of house rules (see lib/README.md): what is not listed here
# is not on the link line, and tests/house checks the same table against the #includes.
# COLD: sources that sluice_cold() is for.
set_property(GLOBAL PROPERTY SLUICE_LAYERS "")
function(sluice_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LAYERS;PACKAGES;COLD" ${ARGN})
  foreach(source IN LISTS ARG_COLD)
    if(NOT source IN_LIST ARG_SOURCES)
      message(FATAL_ERROR "sluice_layer(${name}): ${source} is COLD, and no source of it")
    endif()
  endforeach()
  if(ARG_COLD)
    sluice_cold(${ARG_COLD})
  endif()
  add_library(sluice_${name} OBJECT ${ARG_SOURCES})
  set_target_properties(sluice_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON CXX_EXTENSIONS OFF)
  target_link_libraries(sluice_${name} PRIVATE sluice_toolchain tl::expected ${ARG_PACKAGES})
  set_property(TARGET sluice_${name} PROPERTY SLUICE_USES "${ARG_LAYERS}")
  set_property(TARGET sluice_${name} PROPERTY SLUICE_PACKAGES "${ARG_PACKAGES}")
  list(TRANSFORM ARG_COLD REPLACE "\\." "\\\\.")
  list(JOIN ARG_COLD "|" cold)
  set_property(TARGET sluice_${name} PROPERTY SLUICE_COLD "${cold}")  # a regular expression
  set_property(GLOBAL APPEND PROPERTY SLUICE_LAYERS ${name})
endfunction()

# Adds to `target` the objects and packages of the named layers and of every layer these use. Of an inline function that many
# objects carry the linker keeps the first: the lowest rooms stand first, and cold objects last, so that none of those is small
# and slow.
function(sluice_link_layers target)
  set(open ${ARGN})
  set(seen "")
  while(open)
    list(POP_FRONT open layer)
    if(layer IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${layer})
    get_property(uses TARGET sluice_${layer} PROPERTY SLUICE_USES)
    get_property(packages TARGET sluice_${layer} PROPERTY SLUICE_PACKAGES)
    list(APPEND open ${uses})
    target_link_libraries(${target} PRIVATE ${packages})
  endwhile()
  list(REVERSE seen)
  foreach(kind EXCLUDE INCLUDE)
    foreach(layer IN LISTS seen)
      get_property(cold TARGET sluice_${layer} PROPERTY SLUICE_COLD)
      if(cold)
        target_sources(${target} PRIVATE "$<FILTER:$<TARGET_OBJECTS:sluice_${layer}>,${kind},/(${cold})\\.o$>")
      elseif(kind STREQUAL "EXCLUDE")
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:sluice_${layer}>)
      endif()
    endforeach()
  endforeach()
  # Flags of this project only: an installed library must not name a target nobody else has.
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:sluice_toolchain> tl::expected)
endfunction()
