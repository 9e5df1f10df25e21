# Upstreams whose credential is a token that somebody has to grant.
sluice_integration_test(integration_tokens SOURCES tokens_test.cpp token_kinds_test.cpp token_times_test.cpp)
target_include_directories(integration_tokens PRIVATE "${PROJECT_SOURCE_DIR}/lib")
