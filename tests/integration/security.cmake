# What comes over the wire from callers and upstreams that mean harm.
sluice_integration_test(integration_security
  SOURCES wire_refusals_test.cpp strictness_page_test.cpp upstream_answers_test.cpp upstream_origins_test.cpp credentials_test.cpp json_bodies_test.cpp)
# The same bytes to sluice, nginx and HAProxy, where these are installed.
sluice_integration_test(integration_differential SOURCES differential_test.cpp reference_proxies.cpp smuggling_cases.cpp)
set_tests_properties(integration_differential PROPERTIES SKIP_RETURN_CODE 77)
