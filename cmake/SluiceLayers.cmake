# sluice_layer(NAME SOURCES a.cpp ... LAYERS base http ... PACKAGES fmt::fmt ...)
# One OBJECT target per room. LAYERS restates the table of house rules (see lib/README.md): what is not listed here
# is not on the link line, and tests/house checks the same table against the #includes.
set_property(GLOBAL PROPERTY SLUICE_LAYERS "")
function(sluice_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LAYERS;PACKAGES" ${ARGN})
  add_library(sluice_${name} OBJECT ${ARG_SOURCES})
  set_target_properties(sluice_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON CXX_EXTENSIONS OFF)
  target_link_libraries(sluice_${name} PRIVATE sluice_toolchain tl::expected ${ARG_PACKAGES})
  set_property(TARGET sluice_${name} PROPERTY SLUICE_USES "${ARG_LAYERS}")
  set_property(TARGET sluice_${name} PROPERTY SLUICE_PACKAGES "${ARG_PACKAGES}")
  set_property(GLOBAL APPEND PROPERTY SLUICE_LAYERS ${name})
endfunction()

# Adds to `target` the objects and packages of the named layers and of every layer these use.
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
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:sluice_${layer}>)
    target_link_libraries(${target} PRIVATE ${packages})
  endwhile()
  # Flags of this project only: an installed library must not name a target nobody else has.
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:sluice_toolchain> tl::expected)
endfunction()
