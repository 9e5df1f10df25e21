# Every client's dialect against every upstream's.
sluice_integration_test(integration_dialects SOURCES dialects_test.cpp signing_test.cpp translation_test.cpp dialect_routes_test.cpp refusals_test.cpp dialect_speech.cpp speech_openai.cpp speech_events.cpp speech_other.cpp)
target_include_directories(integration_dialects PRIVATE "${PROJECT_SOURCE_DIR}/lib")
