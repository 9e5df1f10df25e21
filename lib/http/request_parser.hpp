#pragma once
/// A strict HTTP/1.1 request parser that owns no socket: bytes in, one request after the other out.
/// Stands on a proven grammar (http-parser) and refuses on top whatever both nginx and HAProxy refuse.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/error.hpp"
#include "sluice/headers.hpp"

namespace sluice::http {

struct ParserLimits {
  std::size_t header_bytes = 64 * 1024;  ///< request line and header fields together
  std::size_t headers = 128;
};

/// The head of one request.
struct RequestHead {
  std::string method;
  std::string target;
  Headers headers;
  bool keep_alive = true;               ///< the client would send another one
  bool has_body = false;
  bool chunked = false;
  std::uint64_t content_length = 0;     ///< where has_body and not chunked
  bool expects_continue = false;
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
  RequestParser(RequestSink& sink, ParserLimits limits);
  ~RequestParser();
  RequestParser(RequestParser&&) = delete;

  /// Parses what it can. Gives how many bytes were taken: all of them, or fewer where the parser was paused.
  /// Errors (the connection is unusable then): kInvalidRequest, kInvalidHeader, kHeaderTooLarge, kUnsupportedProtocol
  /// (h2c preface, Upgrade, CONNECT, other versions), kMethodNotAllowed (TRACE). Inside the head nothing was delivered.
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
