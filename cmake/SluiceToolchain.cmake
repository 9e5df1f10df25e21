# Standard, warnings, sanitizers and ccache, the same for every target of this project and for nobody who embeds it.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(SLUICE_CCACHE ccache)
  if(SLUICE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${SLUICE_CCACHE}")
    set(CMAKE_C_COMPILER_LAUNCHER "${SLUICE_CCACHE}")
  endif()
endif()

# A request runs once through much code that is cold by then: half the size is worth more than the last unrolled loop.
# Measured on sluiced, -O3 against -O2 with SLUICE_LTO: 4.2 MB of code against 2.2, about a tenth more user time a request.
option(SLUICE_LTO "Link-time optimisation; compiling takes twice as long (the preset release has it on)" OFF)
if(SLUICE_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES CXX)
endif()
if(PROJECT_IS_TOP_LEVEL)
  string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
endif()

add_library(sluice_toolchain INTERFACE)
if(SLUICE_LTO)
  # Objects that can be linked without it too: libsluice.a is for any compiler and any linker.
  target_compile_options(sluice_toolchain INTERFACE "$<IF:$<CXX_COMPILER_ID:GNU>,-flto=auto;-ffat-lto-objects,-flto=thin>")
  target_link_options(sluice_toolchain INTERFACE $<IF:$<CXX_COMPILER_ID:GNU>,-flto=auto,-flto=thin>)
endif()
target_compile_features(sluice_toolchain INTERFACE cxx_std_20)
target_compile_options(sluice_toolchain INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                       -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlapping copies in std::string's own code at -O3 (GCC bug 105651, mended in 13).
  target_compile_options(sluice_toolchain INTERFACE -Wno-restrict)
endif()
if(SLUICE_WARNINGS_AS_ERRORS)
  target_compile_options(sluice_toolchain INTERFACE -Werror)
endif()
if(SLUICE_SANITIZE)
  target_compile_options(sluice_toolchain INTERFACE -fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(sluice_toolchain INTERFACE -fsanitize=${SLUICE_SANITIZE})
endif()
if(SLUICE_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SLUICE_BUILD_FUZZERS needs clang (libFuzzer); this is ${CMAKE_CXX_COMPILER_ID}. Use: cmake --preset asan")
  endif()
  if(NOT SLUICE_SANITIZE MATCHES "address")
    message(FATAL_ERROR "SLUICE_BUILD_FUZZERS: a fuzzer without a sanitizer sees little; set SLUICE_SANITIZE=address,undefined")
  endif()
  # The rooms tell the fuzzers where they have been (the address sanitizer's runtime holds the hooks); the fuzzers alone
  # bring libFuzzer's main.
  target_compile_options(sluice_toolchain INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_include_directories(sluice_toolchain INTERFACE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/lib"
                           "${PROJECT_BINARY_DIR}/generated")
