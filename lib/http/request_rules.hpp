#pragma once
/// The rules a request head and its framing are held to, line by line. Pure: text in, verdict out. Stricter than RFC 9112
/// wherever its leniency lets two parsers disagree. Knows no connection and keeps no state.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/request_parser.hpp"
#include "sluice/error.hpp"

namespace sluice::http {

/// `METHOD SP /target SP HTTP/1.x`, one SP each, without the CRLF. Errors: kInvalidRequest, kUnsupportedProtocol (another
/// version, the HTTP/2 preface, CONNECT), kMethodNotAllowed (TRACE).
[[nodiscard]] Status judge_request_line(std::string_view line);

/// `name: value`, without the CRLF; also for trailers. Errors: kInvalidHeader: folded, no colon, a name that is no token
/// (a blank before the colon too), a control character, a value that begins or ends in the byte 0x85 or 0xA0, which some
/// parsers take for a blank.
[[nodiscard]] Status judge_field_line(std::string_view line);

/// The size in `1*16HEXDIG [;token[=value]]...`, without the CRLF. Errors: kInvalidRequest.
[[nodiscard]] Result<std::uint64_t> judge_chunk_line(std::string_view line);

/// The fields that say where a request ends and how it is to be read. Lifetime: the head they were noted from.
class BodyFraming {
 public:
  /// Notes a field, with the blanks that stood behind its value.
  void note(std::string_view name, std::string_view value);
  /// Fills keep_alive, has_body, chunked, content_length and expects_continue of `head`, whose http10 is set.
  /// Errors: kInvalidRequest (Host, Content-Length, Transfer-Encoding), kUnsupportedProtocol (Upgrade), kExpectationFailed.
  [[nodiscard]] Status judge(RequestHead& head) const;

 private:
  struct Seen {
    std::size_t count = 0;
    std::string_view value;  // of the last one
    void add(std::string_view text) { ++count, value = text; }
  };
  Seen host_, length_, encoding_, expect_;
  bool upgrade_ = false;
  bool close_ = false;
  bool stay_ = false;  // keep-alive
};

}  // namespace sluice::http
