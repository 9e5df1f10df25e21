#pragma once
/// Answers that a listener gives itself, without an exchange: refusals on the head, in the words of whoever asked. Knows
/// errors and which dialect a head speaks; must not know connections.

#include <string>
#include <string_view>

#include "dialect/dialect.hpp"
#include "http/request_parser.hpp"
#include "sluice/error.hpp"
#include "sluice/message.hpp"

namespace sluice::server {

struct OwnAnswer {
  ResponseHead head;
  std::string body = {};
};

[[nodiscard]] OwnAnswer refusal(const Error& error, const dialect::Dialect& told_in);

/// The dialect that `head` speaks by its path and fields, unless the listener has `fixed` one; OpenAI's where nobody knows.
/// Lifetime: static.
[[nodiscard]] const dialect::Dialect& dialect_of(const http::RequestHead& head, std::string_view fixed);

}  // namespace sluice::server
