# Who calls, and from where: what the listener makes of it, over a socket.
sluice_integration_test(integration_front_door SOURCES front_door_test.cpp)
# It reads events with the tests' own schema checker.
target_include_directories(integration_front_door PRIVATE "${PROJECT_SOURCE_DIR}/lib")
target_link_libraries(integration_front_door PRIVATE PkgConfig::SLUICE_RE2)
