# Events: one for each exchange, what is in them, and where they go.
sluice_integration_test(integration_telemetry SOURCES telemetry_ends_test.cpp telemetry_trace_test.cpp telemetry_secrets_test.cpp
                                                      telemetry_content_test.cpp telemetry_times_test.cpp token_counts_test.cpp)
sluice_integration_test(integration_telemetry_files SOURCES telemetry_files_test.cpp telemetry_host_test.cpp)
# They read events with the tests' own schema checker.
foreach(telling integration_telemetry integration_telemetry_files)
  target_include_directories(${telling} PRIVATE "${PROJECT_SOURCE_DIR}/lib")
  target_link_libraries(${telling} PRIVATE PkgConfig::SLUICE_RE2)
endforeach()
