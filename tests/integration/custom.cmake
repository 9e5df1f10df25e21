# Servers of no known dialect: custom REST surfaces, and the providers that are rows of them.
sluice_integration_test(integration_custom SOURCES custom_test.cpp custom_rows_test.cpp dialect_speech.cpp speech_openai.cpp speech_events.cpp speech_other.cpp)
target_include_directories(integration_custom PRIVATE "${PROJECT_SOURCE_DIR}/lib")
