#pragma once
/// What a libcurl result means to the gateway: a code of ours and one clause for a person.

#include <curl/curl.h>

#include <string>

#include "engine/answer_head.hpp"
#include "engine/transport.hpp"

namespace sluice::engine {

struct Failure {
  Code code = Code::kInternal;
  std::string detail;
};

/// `text` is the transfer's error buffer. `result` is not CURLE_OK.
[[nodiscard]] Failure explain(CURLcode result, CURL* easy, const char* text, const AnswerHead& head, const Endpoint& endpoint);

}  // namespace sluice::engine
