# What a gateway goes on doing at ten times its load, and beside clients that are slow on purpose.
sluice_integration_test(integration_overload SOURCES overload_test.cpp slow_clients_test.cpp)
# They measure time and memory: nothing may run beside them.
set_tests_properties(integration_overload PROPERTIES RUN_SERIAL ON)
