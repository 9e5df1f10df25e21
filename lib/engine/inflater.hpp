#pragma once
/// Takes gzip and deflate off an answer, a bounded piece at a time, so that its reader may stop between any two pieces and
/// a few hundred bytes never become gigabytes. Knows codings; must not know limits, transfers or sinks.

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sluice/error.hpp"

namespace sluice::engine {

class Inflater {
 public:
  /// Codings one answer may carry on top of each other; what claims more is an attack.
  static constexpr std::size_t kMaxCodings = 4;
  static constexpr std::size_t kPieceBytes = 16 * 1024;

  /// For a Content-Encoding value. nullptr: identity, or a coding this does not know; such bodies are passed as they are.
  /// Errors: kUpstreamProtocolError (too many codings), kOutOfMemory.
  [[nodiscard]] static Result<std::unique_ptr<Inflater>> create(std::string_view content_encoding);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Hands in encoded bytes; call next() until it has none left. Lifetime: `bytes` until then.
  void feed(std::string_view bytes) noexcept;
  /// The next decoded piece, empty where more input is needed. Lifetime: until the next call.
  /// Errors: kUpstreamProtocolError where the bytes are not what the coding says.
  [[nodiscard]] Result<std::string_view> next();
  /// Encoded bytes not looked at yet; a caller that stops early keeps them and feeds them again.
  [[nodiscard]] std::string_view unread() const noexcept;
  /// True where the input may end here.
  [[nodiscard]] bool complete() const noexcept;

 private:
  struct Stage {
    z_stream stream{};
    bool gzip = false;
    bool started = false;    // of the current member
    bool ended = false;      // the last member is whole
    bool full = false;       // the last piece filled the buffer: more may come without input
    std::array<unsigned char, kPieceBytes> piece{};
  };

  Inflater() = default;
  [[nodiscard]] Status add(bool gzip);
  [[nodiscard]] Result<std::string_view> pull(std::size_t stage);

  std::vector<std::unique_ptr<Stage>> stages_;  // in the order of decoding: the coding applied last comes first
};

}  // namespace sluice::engine
