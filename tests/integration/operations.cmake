# Reload, drain, validation, and callers in the same process.
sluice_integration_test(integration_operations SOURCES reload_test.cpp drain_test.cpp in_process_test.cpp host_driven_test.cpp statistics_test.cpp)
