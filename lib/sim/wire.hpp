#pragma once
/// HTTP/1.1 as the simulated server speaks it: reads requests, strictly, and writes heads and chunks. Of its own making, so
/// that what the gateway's HTTP code gets wrong is not understood here by the same mistake. Knows no socket.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/headers.hpp"

namespace sluice::sim {

/// Reads one request out of bytes that grow.
class RequestReader {
 public:
  enum class Step : std::uint8_t {
    kMore,      ///< not whole yet
    kContinue,  ///< the head is whole and asks for `100 Continue`; said once
    kWhole,
    kBad,       ///< no request: status() says which refusal, the connection ends
  };
  static constexpr std::size_t kMostHead = 64 * 1024;
  static constexpr std::uint64_t kMostBody = 256ull << 20;

  /// `bytes` are all that came since the end of the request before; they may have moved since the last call.
  [[nodiscard]] Step read(std::string_view bytes);

  // Once whole. Lifetime: that of the bytes last read.
  [[nodiscard]] std::string_view method() const noexcept { return view(method_); }
  [[nodiscard]] std::string_view target() const noexcept { return view(target_); }
  [[nodiscard]] std::string_view body() const noexcept { return chunked_ ? std::string_view(decoded_) : bytes_.substr(head_size_, body_size_); }
  [[nodiscard]] Headers headers() const;
  [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
  [[nodiscard]] bool http_1_0() const noexcept { return http_1_0_; }
  /// How many bytes the request took.
  [[nodiscard]] std::size_t size() const noexcept { return chunked_ ? chunk_at_ : head_size_ + body_size_; }
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  struct Span {
    std::uint32_t at = 0, size = 0;
  };
  struct Field {
    Span name, value;
  };

  [[nodiscard]] std::string_view view(Span span) const noexcept { return bytes_.substr(span.at, span.size); }
  bool read_head();
  bool read_request_line(std::string_view line);
  bool read_field(std::string_view line, std::size_t at);
  bool judge_field(std::string_view name, std::string_view value);
  [[nodiscard]] Step read_chunks();
  bool refuse(int status) noexcept {
    status_ = status;
    return false;
  }

  std::string_view bytes_;
  std::size_t looked_ = 0;              // for the end of the head, so far
  std::size_t head_size_ = 0;           // with the empty line; 0 = not whole yet
  Span method_, target_;
  std::vector<Field> fields_;
  std::optional<std::uint64_t> content_length_;
  std::size_t body_size_ = 0;
  bool chunked_ = false, keep_alive_ = true, http_1_0_ = false, expects_ = false;
  std::size_t chunk_at_ = 0;            // the next chunk's size line
  std::string decoded_;
  int status_ = 400;
};

/// A head with its empty line. `fields` are written as they are, in lower case where they came so.
[[nodiscard]] std::string write_head(int status, const Headers& fields, bool chunked, bool close);
/// Appends a chunk that holds `bytes`.
void append_chunk(std::string& out, std::string_view bytes);

}  // namespace sluice::sim
