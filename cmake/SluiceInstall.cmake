# What `cmake --install` puts in place: headers, library, CMake package, pkg-config file, daemon, schemas, example.
option(SLUICE_INSTALL "Define install rules (OFF where sluice is a subdirectory of another project)" ${PROJECT_IS_TOP_LEVEL})
if(NOT SLUICE_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)
set(SLUICE_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/sluice")

install(TARGETS sluice sluice_testing EXPORT sluiceTargets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/sluice" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(FILES "${PROJECT_SOURCE_DIR}/docs/schema/config.schema.json" "${PROJECT_SOURCE_DIR}/docs/schema/event.schema.json"
              "${PROJECT_SOURCE_DIR}/examples/quickstart/gateway.json"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/sluice")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(TARGET sluiced)
  install(TARGETS sluiced RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(FILES "${PROJECT_BINARY_DIR}/man/sluiced.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
  install(FILES "${PROJECT_SOURCE_DIR}/packaging/completions/sluiced" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
  install(FILES "${PROJECT_SOURCE_DIR}/packaging/completions/_sluiced" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
  # The unit names the program's place: that of the prefix the tree was configured with.
  configure_file("${PROJECT_SOURCE_DIR}/packaging/sluiced.service.in" "${PROJECT_BINARY_DIR}/sluiced.service" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/sluiced.service" DESTINATION "lib/systemd/system")
endif()
if(TARGET sluice_c)
  install(TARGETS sluice_c EXPORT sluiceTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/capi/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
endif()

# find_package(sluice)
get_target_property(SLUICE_LIBRARY_TYPE sluice TYPE)
install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION "${SLUICE_CMAKE_DIR}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/sluiceConfig.cmake.in" "${PROJECT_BINARY_DIR}/sluiceConfig.cmake"
                              INSTALL_DESTINATION "${SLUICE_CMAKE_DIR}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/sluiceConfig.cmake" "${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/SluicePackages.cmake"
        DESTINATION "${SLUICE_CMAKE_DIR}")

# pkg-config. A static libsluice.a is useless without the libraries below it, so there they are plain requirements; asking
# pkg-config for --static instead would pull in libcurl's own private ones, whose development files nobody has installed.
set(SLUICE_PC_REQUIRES "libcurl libcares re2 fmt simdjson openssl zlib")
if(SLUICE_LIBRARY_TYPE STREQUAL "STATIC_LIBRARY")
  set(SLUICE_PC_PUBLIC "Requires: ${SLUICE_PC_REQUIRES}\nLibs: -L\${libdir} -lsluice -lhttp_parser -pthread")
else()
  set(SLUICE_PC_PUBLIC "Libs: -L\${libdir} -lsluice")
  set(SLUICE_PC_PUBLIC "${SLUICE_PC_PUBLIC}\nLibs.private: -lcurl -lcares -lre2 -lfmt -lsimdjson -lssl -lcrypto -lz -lhttp_parser -pthread")
endif()
# The tree may be moved after the build (`cmake --install --prefix`), so the file finds its prefix from where it lies.
file(RELATIVE_PATH SLUICE_PC_UP "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" SLUICE_PC_UP "${SLUICE_PC_UP}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/sluice.pc.in" "${PROJECT_BINARY_DIR}/sluice.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/sluice.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(TARGET sluice_c)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/sluice_c.pc.in" "${PROJECT_BINARY_DIR}/sluice_c.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/sluice_c.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endif()
