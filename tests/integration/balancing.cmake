# Which upstream next, what follows a failure, and when: through listener, libcurl and servers that misbehave, and in virtual time.
sluice_integration_test(integration_balance SOURCES balance_test.cpp)
sluice_integration_test(integration_retry SOURCES retry_test.cpp retry_waits_test.cpp failover_test.cpp)
target_include_directories(integration_balance PRIVATE "${PROJECT_SOURCE_DIR}/lib")
