# Plugins in whole gateways: what the exchange adds to the chain, through listener, libcurl and servers that misbehave, and in virtual time.
sluice_integration_test(integration_plugins_request SOURCES plugins_request_test.cpp)
sluice_integration_test(integration_plugins_answer SOURCES plugins_answer_test.cpp plugins_attempts_test.cpp plugins_builtin_test.cpp)
sluice_integration_test(integration_plugins_life SOURCES plugins_life_test.cpp plugins_calls_test.cpp)
