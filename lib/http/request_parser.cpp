// Takes requests off a connection. A head is gathered (in place where it came whole), each of its lines is judged when its
// LF comes, then http-parser reads it, then its framing is judged. Nothing in here forgives: what two parsers could read
// in two ways is refused (RFC 9112, 11.2, request smuggling).

#include "http/request_parser.hpp"

#include <http_parser.h>

#include <algorithm>
#include <cstring>

#include "http/request_rules.hpp"

namespace sluice::http {
namespace {

// http-parser counts the bytes of a head against a bound of its own, one for the whole process, which is not ours to move.
constexpr std::size_t kGrammarBound = HTTP_MAX_HEADER_SIZE;
// A chunk-size line: 16 digits and a short extension. No client is known to send extensions at all.
constexpr std::size_t kMaxChunkLine = 256;
// What an idle connection may keep of a buffer that a head needed once.
constexpr std::size_t kKeptBytes = 4096;

// What http-parser collects from one head.
struct Collector {
  RequestHead& head;
  BodyFraming& framing;
  std::string_view name;
};

int on_url(http_parser* parser, const char* at, std::size_t size) {
  static_cast<Collector*>(parser->data)->head.target.assign(at, size);
  return 0;
}

int on_field(http_parser* parser, const char* at, std::size_t size) {
  static_cast<Collector*>(parser->data)->name = {at, size};
  return 0;
}

int on_value(http_parser* parser, const char* at, std::size_t size) {
  Collector& collector = *static_cast<Collector*>(parser->data);
  const std::string_view value(at, size);
  collector.framing.note(collector.name, value);
  collector.head.headers.add_trusted(collector.name, value);
  return 0;
}

// The body is ours: http-parser is done at the end of the head.
int on_headers_complete(http_parser*) { return 1; }

const http_parser_settings kSettings = [] {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = on_url;
  settings.on_header_field = on_field;
  settings.on_header_value = on_value;
  settings.on_headers_complete = on_headers_complete;
  return settings;
}();

Error grammar_error(const http_parser& parser) {
  switch (HTTP_PARSER_ERRNO(&parser)) {
    case HPE_INVALID_METHOD:
      return make_error(Code::kMethodNotAllowed, "the request's method is not one sluice knows; use GET or POST");
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return make_error(Code::kInvalidRequest,
                        "Content-Length must stand once, as a plain decimal number, and not beside Transfer-Encoding",
                        "content-length");
    case HPE_INVALID_TRANSFER_ENCODING:
      return make_error(Code::kInvalidRequest, "Transfer-Encoding must be 'chunked' and nothing else",
                        "transfer-encoding");
    case HPE_HEADER_OVERFLOW:
      return make_error(Code::kHeaderTooLarge, "the request head is too long; send fewer or shorter header fields");
    default:
      return make_error(Code::kInvalidRequest, std::string("the request head is malformed (") +
                                                   http_errno_description(HTTP_PARSER_ERRNO(&parser)) + ")");
  }
}

}  // namespace

struct RequestParser::Impl {
  // Where the parser stands. Each phase names what comes next.
  enum class Phase : std::uint8_t {
    kIdle,       // a request, or the one empty line that may come before it
    kHead,       // the rest of a head
    kSized,      // `left` bytes of body
    kChunkLine,  // the rest of a chunk-size line
    kChunkData,  // `left` bytes of a chunk
    kChunkCr,    // the CR, then
    kChunkLf,    // the LF behind a chunk
    kTrailer,    // the rest of a trailer line, or of the empty line after it
    kComplete,   // nothing: on_complete is owed
    kLast,       // nothing any more: the connection's last request is whole
    kFailed,
  };

  Impl(RequestSink& to, ParserLimits bounds) : sink(to), limits(bounds) {
    limits.header_bytes = std::min(limits.header_bytes, kGrammarBound);
  }

  RequestSink& sink;
  ParserLimits limits;
  Phase phase = Phase::kIdle;
  bool paused = false;
  bool keep_alive = true;
  // Idle: the empty line before a request.
  bool blank_cr = false;
  bool blank_line = false;
  // Head, chunk line and trailers: what came of them in earlier pieces.
  std::string held;
  std::size_t line_at = 0;  // where the line under way begins in the head
  std::size_t lines = 0;    // whole lines of the head (the request line is one) or of the trailers
  std::size_t trailer_bytes = 0;
  std::uint64_t left = 0;
  std::optional<Error> failure;

  // Every step takes a prefix of `bytes` and gives its size. A failure lands in `failure`.
  std::size_t step(std::string_view bytes);
  std::size_t idle_step(std::string_view bytes);
  std::size_t head_step(std::string_view bytes);
  std::size_t body_step(std::string_view bytes);
  std::size_t chunk_line_step(std::string_view bytes);
  std::size_t trailer_step(std::string_view bytes);

  void refuse(Error error) {
    failure = std::move(error);
    phase = Phase::kFailed;
    std::string().swap(held);
  }
  bool allow(Status verdict) {
    if (verdict) return true;
    refuse(std::move(verdict.error()));
    return false;
  }
  void refuse_long_head() {
    refuse(make_error(Code::kHeaderTooLarge, "the request head is longer than " + std::to_string(limits.header_bytes) +
                                                 " bytes; send fewer or shorter header fields"));
  }
  void refuse_many_fields() {
    refuse(make_error(Code::kHeaderTooLarge,
                      "the request has more than " + std::to_string(limits.headers) + " header fields; send fewer"));
  }
  void finish_head(std::string_view head);
  std::optional<std::string_view> take_line(std::string_view bytes, std::size_t limit, std::size_t& taken,
                                            bool& long_line);
};

std::size_t RequestParser::Impl::step(std::string_view bytes) {
  switch (phase) {
    case Phase::kIdle:
      return idle_step(bytes);
    case Phase::kHead:
      return head_step(bytes);
    case Phase::kSized:
    case Phase::kChunkData:
      return body_step(bytes);
    case Phase::kChunkLine:
      return chunk_line_step(bytes);
    case Phase::kChunkCr:
    case Phase::kChunkLf: {
      const bool cr = phase == Phase::kChunkCr;
      if (bytes.front() != (cr ? '\r' : '\n')) {
        refuse(make_error(Code::kInvalidRequest, "a chunk is not followed by CRLF"));
        return 0;
      }
      phase = cr ? Phase::kChunkLf : Phase::kChunkLine;
      return 1;
    }
    case Phase::kTrailer:
      return trailer_step(bytes);
    case Phase::kLast:
      return bytes.size();
    case Phase::kComplete:
    case Phase::kFailed:
      break;
  }
  return 0;
}

std::size_t RequestParser::Impl::idle_step(std::string_view bytes) {
  const char c = bytes.front();
  // RFC 9112, 2.2: one empty line before a request is ignored, for clients that end a body with a CRLF too many.
  if (blank_cr || (c == '\r' && !blank_line)) {
    if (blank_cr && c != '\n') {
      refuse(make_error(Code::kInvalidRequest, "a bare CR stands before the request line"));
      return 0;
    }
    blank_line = blank_cr;
    blank_cr = !blank_cr;
    return 1;
  }
  // Told at the first byte, not at the first line end, which a TLS hello or noise may never bring.
  if (!is_header_name({&c, 1})) {
    refuse(make_error(Code::kInvalidRequest,
                      "the connection does not begin with an HTTP/1.1 request line; is it TLS to a plain-text port?"));
    return 0;
  }
  blank_line = false;
  phase = Phase::kHead;
  line_at = 0;
  lines = 0;
  return head_step(bytes);
}

// Judges each line as its LF comes. Where the head began in an earlier piece it is gathered in `held`, line by line, so
// that no byte of the body is ever copied there.
std::size_t RequestParser::Impl::head_step(std::string_view bytes) {
  std::size_t taken = 0;
  while (true) {
    const void* hit = std::memchr(bytes.data() + taken, '\n', bytes.size() - taken);
    const std::size_t end =
        hit == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const char*>(hit) - bytes.data()) + 1;
    if (held.size() + end - (held.empty() ? 0 : taken) > limits.header_bytes) {
      refuse_long_head();
      return 0;
    }
    if (!held.empty()) held.append(bytes.substr(taken, end - taken));
    taken = end;
    if (hit == nullptr) {
      if (held.empty()) held.assign(bytes);
      return taken;
    }
    const std::string_view head = held.empty() ? bytes.substr(0, taken) : std::string_view(held);
    std::string_view line = head.substr(line_at);
    line_at = head.size();
    line.remove_suffix(1);
    if (!line.ends_with('\r')) {
      refuse(make_error(Code::kInvalidRequest, "a line of the request head ends in a bare LF; end it with CRLF"));
      return 0;
    }
    line.remove_suffix(1);
    if (lines == 0) {
      if (!allow(judge_request_line(line))) return 0;
    } else if (line.empty()) {
      finish_head(head);
      held.clear();
      if (held.capacity() > kKeptBytes) held.shrink_to_fit();
      return taken;
    } else if (lines > limits.headers) {
      refuse_many_fields();
      return 0;
    } else if (!allow(judge_field_line(line))) {
      return 0;
    }
    ++lines;
  }
}

void RequestParser::Impl::finish_head(std::string_view bytes) {
  RequestHead head;
  BodyFraming framing;
  head.headers.reserve(lines - 1, bytes.size());
  Collector collector{head, framing, {}};
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = &collector;
  const std::size_t read = http_parser_execute(&parser, &kSettings, bytes.data(), bytes.size());
  if (HTTP_PARSER_ERRNO(&parser) != HPE_OK) return refuse(grammar_error(parser));
  if (read != bytes.size() || head.headers.size() != lines - 1)
    return refuse(make_error(Code::kInvalidRequest, "the request head can be read in two ways; write it plainly"));
  head.method = http_method_str(static_cast<http_method>(parser.method));
  head.http10 = parser.http_minor == 0;
  if (!allow(framing.judge(head))) return;

  keep_alive = head.keep_alive;
  left = head.content_length;
  lines = 0;
  trailer_bytes = 0;
  if (head.chunked)
    phase = Phase::kChunkLine;
  else
    phase = head.has_body ? Phase::kSized : Phase::kComplete;
  sink.on_head(std::move(head));
}

std::size_t RequestParser::Impl::body_step(std::string_view bytes) {
  const std::string_view part = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
  left -= part.size();
  if (left == 0) phase = phase == Phase::kSized ? Phase::kComplete : Phase::kChunkCr;
  sink.on_body(part);
  return part.size();
}

// One line without its CRLF, in place or from `held`; the caller clears `held`. Nothing: more bytes are needed, or it was
// refused, or it would be longer than `limit`.
std::optional<std::string_view> RequestParser::Impl::take_line(std::string_view bytes, std::size_t limit,
                                                               std::size_t& taken, bool& long_line) {
  const void* hit = std::memchr(bytes.data(), '\n', bytes.size());
  taken = hit == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const char*>(hit) - bytes.data()) + 1;
  long_line = held.size() + taken > limit;
  if (long_line) return std::nullopt;
  if (hit == nullptr || !held.empty()) held.append(bytes.substr(0, taken));
  if (hit == nullptr) return std::nullopt;
  std::string_view line = held.empty() ? bytes.substr(0, taken) : std::string_view(held);
  line.remove_suffix(1);
  if (!line.ends_with('\r')) {
    refuse(make_error(Code::kInvalidRequest, "a line of a chunked body ends in a bare LF; end it with CRLF"));
    return std::nullopt;
  }
  line.remove_suffix(1);
  return line;
}

std::size_t RequestParser::Impl::chunk_line_step(std::string_view bytes) {
  std::size_t taken = 0;
  bool long_line = false;
  const std::optional<std::string_view> line = take_line(bytes, kMaxChunkLine, taken, long_line);
  if (long_line) refuse(make_error(Code::kInvalidRequest, "a chunk-size line is longer than 256 bytes"));
  if (!line) return taken;
  const Result<std::uint64_t> size = judge_chunk_line(*line);
  held.clear();
  if (!size) {
    refuse(size.error());
    return 0;
  }
  left = *size;
  phase = left == 0 ? Phase::kTrailer : Phase::kChunkData;
  return taken;
}

std::size_t RequestParser::Impl::trailer_step(std::string_view bytes) {
  std::size_t taken = 0;
  bool long_line = false;
  const std::optional<std::string_view> line = take_line(bytes, limits.header_bytes - trailer_bytes, taken, long_line);
  if (long_line) refuse_long_head();
  if (!line) return taken;
  trailer_bytes += line->size() + 2;
  if (line->empty()) {
    phase = Phase::kComplete;
  } else if (++lines > limits.headers) {
    refuse_many_fields();
  } else {
    allow(judge_field_line(*line));
  }
  held.clear();
  return taken;
}

RequestParser::RequestParser(RequestSink& sink, ParserLimits limits) : impl_(std::make_unique<Impl>(sink, limits)) {}
RequestParser::~RequestParser() = default;

Result<std::size_t> RequestParser::feed(std::string_view bytes) {
  Impl& impl = *impl_;
  impl.paused = false;
  std::size_t at = 0;
  while (!impl.paused && impl.phase != Impl::Phase::kFailed) {
    if (impl.phase == Impl::Phase::kComplete) {
      impl.phase = impl.keep_alive ? Impl::Phase::kIdle : Impl::Phase::kLast;
      impl.sink.on_complete();
    } else if (at == bytes.size()) {
      break;
    } else {
      at += impl.step(bytes.substr(at));
    }
  }
  if (impl.failure) return tl::unexpected(*impl.failure);
  return at;
}

void RequestParser::pause() noexcept { impl_->paused = true; }
bool RequestParser::in_head() const noexcept { return impl_->phase == Impl::Phase::kHead; }
bool RequestParser::idle() const noexcept { return impl_->phase == Impl::Phase::kIdle; }

}  // namespace sluice::http
