# The front door: who may come in, and how.
sluice_integration_test(integration_tls SOURCES tls_test.cpp)
