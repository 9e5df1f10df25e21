// zlib, within bounds: what a bomb would need is never allocated.

#include "gateway/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "sluice/body.hpp"
#include "sluice/headers.hpp"

namespace sluice::gateway {
namespace {

constexpr std::uint64_t kFreeBytes = 1u << 20;  // below this no ratio is judged
constexpr std::uint64_t kMaxRatio = 200;        // deflate's own ceiling is 1032

struct EndInflate {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

Result<std::string> run(std::string_view bytes, int window_bits, std::uint64_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return fail(Code::kOutOfMemory, "no memory to decode the body");
  const std::unique_ptr<z_stream, EndInflate> guard(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  for (;;) {
    const std::size_t before = out.size();
    const std::size_t room = std::max<std::size_t>(16 * 1024, before / 2);
    out.reserve(before + room + Body::kPadding);
    out.resize(before + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(room);
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    out.resize(before + room - stream.avail_out);
    if (out.size() > limit || (out.size() > kFreeBytes && out.size() / kMaxRatio > bytes.size())) {
      return fail(Code::kBodyTooLarge, "the decoded body is over the limit of " + std::to_string(limit) + " bytes, or over " +
                                           std::to_string(kMaxRatio) + " times what was sent");
    }
    if (result == Z_STREAM_END) break;
    if (result != Z_OK) return fail(Code::kUnsupportedEncoding, "the compressed body is damaged or cut off");
  }
  if (stream.avail_in != 0) return fail(Code::kUnsupportedEncoding, "bytes follow the end of the compressed body");
  return out;
}

}  // namespace

Result<std::string> inflate(std::string_view bytes, std::string_view coding, std::uint64_t limit) {
  if (same_name(coding, "gzip") || same_name(coding, "x-gzip")) return run(bytes, 16 + MAX_WBITS, limit);
  if (same_name(coding, "deflate")) {
    // RFC 9110 means the zlib wrapper; some clients send raw deflate. The wrapper's first byte tells.
    const bool wrapped = bytes.size() >= 2 && (static_cast<unsigned char>(bytes[0]) & 0x0f) == 8 &&
                         ((static_cast<unsigned char>(bytes[0]) << 8) + static_cast<unsigned char>(bytes[1])) % 31 == 0;
    return run(bytes, wrapped ? MAX_WBITS : -MAX_WBITS, limit);
  }
  return fail(Code::kUnsupportedEncoding, "content-encoding '" + std::string(coding) + "' is not taken; send gzip, deflate or identity");
}

}  // namespace sluice::gateway
