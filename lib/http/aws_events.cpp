// Frames: u32 length, u32 length of headers, u32 CRC of these eight bytes; headers; payload; u32 CRC of all before. Big-endian.
// A header: u8 length, name, u8 type, value.

#include "http/aws_events.hpp"

#include <zlib.h>

#include <array>
#include <optional>
#include <utility>

#include "base/base64.hpp"

namespace sluice::http {
namespace {

constexpr std::size_t kPrelude = 12, kTrailer = 4;
constexpr std::size_t kHeaderBytes = 128 * 1024;  // of all headers of a frame, by the specification

std::uint32_t read_u32(std::string_view bytes, std::size_t at) noexcept {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < 4; ++i) n = n << 8 | static_cast<unsigned char>(bytes[at + i]);
  return n;
}

void append_u32(std::string& out, std::uint32_t n) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
}

std::uint32_t crc(std::string_view bytes) noexcept {
  return static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

tl::unexpected<Error> broken(const char* what) { return fail(Code::kUpstreamInvalidAnswer, std::string("a frame of the event stream ") + what); }

// By type: true, false, i8, i16, i32, i64, bytes, string, timestamp, uuid. Negative: a u16 length stands before.
constexpr std::array<int, 10> kValueSizes{0, 0, 1, 2, 4, 8, -1, -1, 8, 16};
constexpr std::size_t kStringType = 7;

struct FrameHeaders {
  std::string_view message_type, event_type, exception_type, error_code, error_message;
};

Status read_headers(std::string_view bytes, FrameHeaders& out) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t name_size = static_cast<unsigned char>(bytes[at]);
    if (name_size == 0 || bytes.size() - at < name_size + 2) return broken("has a broken header");
    const std::string_view name = bytes.substr(at + 1, name_size);
    const std::size_t type = static_cast<unsigned char>(bytes[at + 1 + name_size]);
    at += name_size + 2;
    if (type >= kValueSizes.size()) return broken("has a header of an unknown type");
    std::size_t size = kValueSizes[type] < 0 ? 0 : static_cast<std::size_t>(kValueSizes[type]);
    if (kValueSizes[type] < 0) {
      if (bytes.size() - at < 2) return broken("has a broken header");
      size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1]));
      at += 2;
    }
    if (bytes.size() - at < size) return broken("has a broken header");
    const std::string_view value = bytes.substr(at, size);
    at += size;
    if (type != kStringType) continue;
    if (name == ":message-type") out.message_type = value;
    if (name == ":event-type") out.event_type = value;
    if (name == ":exception-type") out.exception_type = value;
    if (name == ":error-code") out.error_code = value;
    if (name == ":error-message") out.error_message = value;
  }
  return {};
}

/// `{"message":"…"}`, the form in which exceptions say theirs.
void write_message(std::string& out, std::string_view message) {
  out.assign(R"({"message":")");
  for (const char c : message) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  out += "\"}";
}

/// The one member of `chunk` frames that says something: `bytes`, in base64. What else stands there (`p`) is padding. None of
/// it has escapes in it, so that it is found without a parser. Nothing where it is no such object.
std::optional<std::string> bytes_of_chunk(std::string_view payload) {
  constexpr std::string_view kKey = "\"bytes\"", kBlanks = " \t\r\n";
  for (std::size_t key = payload.find(kKey); key != std::string_view::npos; key = payload.find(kKey, key + 1)) {
    std::size_t at = payload.find_first_not_of(kBlanks, key + kKey.size());
    if (at == std::string_view::npos || payload[at] != ':') continue;  // a value that reads like the key
    at = payload.find_first_not_of(kBlanks, at + 1);
    if (at == std::string_view::npos || payload[at] != '"') return std::nullopt;
    const std::size_t end = payload.find('"', ++at);
    return end == std::string_view::npos ? std::nullopt : base::base64_decode(payload.substr(at, end - at));
  }
  return std::nullopt;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += static_cast<char>(name.size());
  out.append(name) += static_cast<char>(kStringType);
  out += static_cast<char>(value.size() >> 8 & 0xff);
  out += static_cast<char>(value.size() & 0xff);
  out.append(value);
}

}  // namespace

Result<std::optional<std::size_t>> AwsEventReader::find_end(std::string_view text, std::size_t) {
  if (text.size() < kPrelude) return std::optional<std::size_t>();
  if (read_u32(text, 8) != crc(text.substr(0, 8))) return broken("has a prelude with a wrong checksum");
  const std::size_t total = read_u32(text, 0), headers = read_u32(text, 4);
  if (headers > kHeaderBytes || total < kPrelude + kTrailer || headers > total - kPrelude - kTrailer) return broken("states impossible lengths");
  if (total > max_event_bytes()) return std::optional(total);  // the bound is told before the bytes are here
  if (text.size() < total) return std::optional<std::size_t>();
  return std::optional(total);
}

Status AwsEventReader::parse(std::string_view raw, StreamEvent& event) {
  if (read_u32(raw, raw.size() - kTrailer) != crc(raw.substr(0, raw.size() - kTrailer))) return broken("has a wrong checksum");
  const std::size_t headers = read_u32(raw, 4);
  FrameHeaders read;
  if (Status fits = read_headers(raw.substr(kPrelude, headers), read); !fits) return fits;
  event.data = raw.substr(kPrelude + headers, raw.size() - kPrelude - headers - kTrailer);
  event.has_data = true;
  if (read.message_type == "exception" || read.message_type == "error") {
    name_.assign(1, '!').append(read.message_type == "exception" ? read.exception_type : read.error_code);
    event.name = name_;
    if (event.data.empty() && !read.error_message.empty()) {
      write_message(message_, read.error_message);
      event.data = message_;
    }
  } else if (read.event_type == "chunk") {
    auto bytes = bytes_of_chunk(event.data);
    if (!bytes) return broken("is a chunk without bytes");
    chunk_ = *std::move(bytes);
    event.data = chunk_;
  } else {
    event.name = read.event_type;
  }
  return {};
}

void append_aws_event(std::string& out, std::string_view name, std::string_view payload) {
  const bool exception = name.starts_with('!');
  std::string headers;
  append_header(headers, exception ? ":exception-type" : ":event-type", exception ? name.substr(1) : name);
  append_header(headers, ":content-type", "application/json");
  append_header(headers, ":message-type", exception ? "exception" : "event");
  const std::size_t begin = out.size();
  append_u32(out, static_cast<std::uint32_t>(kPrelude + headers.size() + payload.size() + kTrailer));
  append_u32(out, static_cast<std::uint32_t>(headers.size()));
  append_u32(out, crc(std::string_view(out).substr(begin)));
  out.append(headers).append(payload);
  append_u32(out, crc(std::string_view(out).substr(begin)));
}

}  // namespace sluice::http
