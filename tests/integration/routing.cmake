# Which route, which model, which upstream, and what is changed on the way.
sluice_integration_test(integration_routing SOURCES routes_test.cpp models_test.cpp contents_test.cpp edits_test.cpp third_party_test.cpp)
