# Streams from end to end: ends and errors, cancel, back-pressure, timers, usage; and what keeps the gateway available.
sluice_integration_test(integration_stream_ends SOURCES stream_ends_test.cpp stream_framing_test.cpp)
sluice_integration_test(integration_stream_timers SOURCES stream_timers_test.cpp)
sluice_integration_test(integration_stream_cancel SOURCES stream_cancel_test.cpp stream_churn_test.cpp)
sluice_integration_test(integration_stream_flow SOURCES stream_flow_test.cpp)
sluice_integration_test(integration_usage SOURCES usage_test.cpp)
sluice_integration_test(integration_caps SOURCES caps_test.cpp)
sluice_integration_test(integration_avail SOURCES avail_test.cpp avail_load_test.cpp)
# What no public header shows: how many wait at a gate, and a resolver that never answers.
foreach(inside integration_stream_cancel integration_caps integration_avail)
  target_include_directories(${inside} PRIVATE "${PROJECT_SOURCE_DIR}/lib")
endforeach()
# They measure time and memory: nothing may run beside them.
set_tests_properties(integration_avail integration_stream_flow integration_stream_timers PROPERTIES RUN_SERIAL ON)
