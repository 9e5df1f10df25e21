#pragma once
/// Runs bytes through the request parser in pieces and writes down what came out, for tests that compare deliveries.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_parser.hpp"

namespace sluice::http::test {

/// A POST with these fields after Host. / The same with a body of chunks.
inline std::string post(const std::string& fields, const std::string& body = {}) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

inline std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked\r\n", body); }

/// One request as the parser gave it.
struct Seen {
  RequestHead head;
  std::string body;
  bool complete = false;
};

class Recorder final : public RequestSink {
 public:
  void on_head(RequestHead&& head) override { requests.push_back({std::move(head), {}, false}); }
  void on_body(std::string_view bytes) override { requests.back().body += bytes; }
  void on_complete() override { requests.back().complete = true; }
  std::vector<Seen> requests;
};

struct Outcome {
  std::vector<Seen> requests;
  Code code = Code::kOk;
  std::string message;
  bool in_head = false;
  bool idle = false;

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const Seen& seen : requests) {
      out += seen.head.method + " " + seen.head.target + (seen.head.keep_alive ? " keep" : " close") +
             (seen.head.chunked ? " chunked" : "") + (seen.head.expects_continue ? " expects" : "") +
             (seen.head.http10 ? " 1.0 " : " 1.1 ") + std::to_string(seen.head.content_length) + "\n";
      for (const HeaderField field : seen.head.headers)
        out.append(field.name).append(1, '=').append(field.value).append(1, '\n');
      out += "<" + seen.body + ">" + (seen.complete ? "whole" : "open") + "\n";
    }
    return out + std::string(to_string(code)) + " " + message + (in_head ? " head" : "") + (idle ? " idle" : "");
  }
};

/// `cut` gives the size of the next piece, at least 1, for the offset it begins at.
inline Outcome run(std::string_view bytes, const std::function<std::size_t(std::size_t)>& cut,
                   ParserLimits limits = {}) {
  Recorder recorder;
  RequestParser parser(recorder, limits);
  Outcome out;
  for (std::size_t at = 0; at < bytes.size();) {
    // A copy of the exact size, so that a sanitizer sees every read past the end of a piece.
    const std::vector<char> piece(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                  bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + cut(at), bytes.size())));
    const auto taken = parser.feed({piece.data(), piece.size()});
    if (!taken) {
      out.code = taken.error().code;
      out.message = taken.error().message;
      break;
    }
    at += piece.size();
  }
  out.in_head = parser.in_head();
  out.idle = parser.idle();
  out.requests = std::move(recorder.requests);
  return out;
}

inline Outcome run_whole(std::string_view bytes, ParserLimits limits = {}) {
  return run(
      bytes, [&](std::size_t) { return bytes.size(); }, limits);
}

inline Outcome run_bytewise(std::string_view bytes, ParserLimits limits = {}) {
  return run(
      bytes, [](std::size_t) { return std::size_t{1}; }, limits);
}

/// In two pieces, cut at `at`.
inline Outcome run_cut(std::string_view bytes, std::size_t at) {
  return run(bytes, [&](std::size_t from) { return from == 0 ? at : bytes.size(); });
}

}  // namespace sluice::http::test
