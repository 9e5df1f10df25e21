#pragma once
/// A strict HTTP/1.1 request parser that owns no socket: bytes in, one request after the other out.
/// Two judges look at every head: our own line rules first, then a proven grammar (http-parser); a head stands where both
/// agree. Body framing is ours alone, since distributions build http-parser without its strict mode, and that takes
/// `\rX` for the end of a chunk. It knows no route and answers nobody: the listener turns an Error into an answer.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/error.hpp"
#include "sluice/headers.hpp"

namespace sluice::http {

struct ParserLimits {
  std::size_t header_bytes =
      64 * 1024;              ///< request line and header fields together; at most 80 KiB, http-parser's own bound
  std::size_t headers = 128;  ///< fields of a head; trailer fields have the same two limits
};

/// The head of one request.
struct RequestHead {
  std::string method;
  std::string target;
  Headers headers;
  bool keep_alive = true;  ///< the client would send another one
  bool has_body = false;
  bool chunked = false;
  std::uint64_t content_length = 0;  ///< where has_body and not chunked
  bool expects_continue = false;     ///< HTTP/1.1 with a body, `Expect: 100-continue`
  bool http10 = false;
};

/// Receives one request: on_head, on_body*, on_complete. Inside any call the parser may be paused.
class RequestSink {
 public:
  virtual void on_head(RequestHead&& head) = 0;
  virtual void on_body(std::string_view bytes) = 0;
  /// The request is whole; trailer fields were dropped.
  virtual void on_complete() = 0;

 protected:
  ~RequestSink() = default;
};

class RequestParser {
 public:
  /// `sink` outlives the parser.
  RequestParser(RequestSink& sink, ParserLimits limits);
  ~RequestParser();
  RequestParser(RequestParser&&) = delete;

  /// Parses what it can. Gives how many bytes were taken: all of them, or fewer where the parser was paused. After a pause
  /// call it again even with nothing new: a completion may be owed. Bytes behind a request that is the connection's last
  /// (RequestHead::keep_alive is false) are taken and dropped: they are never read as a request.
  /// Errors (the connection is unusable then; every later feed gives the same one): kInvalidRequest, kInvalidHeader,
  /// kHeaderTooLarge, kUnsupportedProtocol (h2c preface, Upgrade, CONNECT, other versions), kMethodNotAllowed (TRACE and
  /// methods nobody knows), kExpectationFailed. Inside the head nothing was delivered.
  [[nodiscard]] Result<std::size_t> feed(std::string_view bytes);
  /// Stops after the current callback: the next feed() starts where this one ended.
  void pause() noexcept;
  /// Inside the head of a request (at least one byte of it came). / Between requests.
  [[nodiscard]] bool in_head() const noexcept;
  [[nodiscard]] bool idle() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::http
