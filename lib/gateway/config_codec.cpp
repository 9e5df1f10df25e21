// The codecs of scalars and secrets. Knows JSON types and forms of text; must not know any key of the configuration.

#include "gateway/config_codec.hpp"

#include <algorithm>
#include <cmath>

#include "auth/certificate_index.hpp"

namespace sluice::gateway::config {

namespace {

ShapeRef shared(Shape shape) { return std::make_shared<const Shape>(std::move(shape)); }

bool alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 128 && (alphanumeric(text.front()) || text.front() == '_') &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '@' || c == '-'; });
}

bool is_sha256(std::string_view text) noexcept {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

bool is_fingerprint(std::string_view text) noexcept { return auth::parse_fingerprint(text).has_value(); }

bool is_pointer(std::string_view text) noexcept {
  if (text.empty() || text.front() != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

constexpr TextForm kNotEmpty{
    "a text that is not empty", {}, [](std::string_view text) noexcept { return !text.empty(); }};
constexpr TextForm kAnything{"a text", {}, [](std::string_view) noexcept { return true; }};

Codec<std::string> text_of(const TextForm& form) {
  auto shape = shared({.kind = Shape::Kind::kText, .form = form});
  return {shape,
          [shape](Reader& in, json::Value value, std::string& out) {
            if (!in.expect(value, json::Type::kString, *shape)) return;
            std::string scratch;
            const std::string_view read = value.text(scratch);
            if (!shape->form.fits(read)) return in.refuse(value, *shape);
            out.assign(read);
          },
          [](json::Writer& out, const std::string& value) { out.string(value); },
          [](const std::string& value) { return value.empty(); }};
}

/// `{"env": ...}` or `{"file": ...}` before it is one Secret.
struct Reference {
  std::string env, file;
};

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? std::string() : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

constexpr TextForm kNameForm{
    "a name of letters, digits, `.`, `_`, `-` and `@` (at most 128, first a letter, a digit or `_`)",
    "^[A-Za-z0-9_][A-Za-z0-9._@-]{0,127}$", is_name};
constexpr TextForm kSha256Form{"64 hexadecimal digits", "^[0-9A-Fa-f]{64}$", is_sha256};
constexpr TextForm kFingerprintForm{"64 hexadecimal digits, in pairs with colons between them or in a row",
                                    "^([0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31})$", is_fingerprint};
constexpr TextForm kPointerForm{"a JSON Pointer that begins with `/`", "^/([^~]|~[01])*$", is_pointer};

std::optional<std::int64_t> whole_number(json::Value value) noexcept {
  if (!value.is(json::Type::kNumber)) return std::nullopt;
  if (const auto n = value.integer()) return n;
  constexpr double kExact = 9007199254740992.0;  // 2^53: every whole double below it is one integer
  const auto n = value.number();
  if (!n || std::trunc(*n) != *n || std::abs(*n) > kExact) return std::nullopt;
  return static_cast<std::int64_t>(*n);
}

bool is_masked(json::Value value) { return value.is(json::Type::kString) && value.equals(kMasked); }

Codec<bool> boolean() {
  auto shape = shared({.kind = Shape::Kind::kBoolean});
  return {shape,
          [shape](Reader& in, json::Value value, bool& out) {
            if (in.expect(value, json::Type::kBool, *shape)) out = *value.boolean();
          },
          [](json::Writer& out, const bool& value) { out.boolean(value); }};
}

Codec<std::optional<bool>> maybe_boolean() {
  const auto inner = boolean();
  return {inner.shape,
          [inner](Reader& in, json::Value value, std::optional<bool>& out) { inner.read(in, value, out.emplace()); },
          [](json::Writer& out, const std::optional<bool>& value) { out.boolean(value.value_or(false)); },
          [](const std::optional<bool>& value) { return !value.has_value(); }};
}

Codec<bool> only_true() {
  auto shape = shared({.kind = Shape::Kind::kTrue});
  return {shape,
          [shape](Reader& in, json::Value value, bool& out) {
            out = value.is(json::Type::kBool) && *value.boolean();
            if (!out) in.refuse(value, *shape);
          },
          [](json::Writer& out, const bool&) { out.boolean(true); }};
}

Codec<double> number(double low, double high, std::string_view unit) {
  auto shape = shared({.kind = Shape::Kind::kNumber, .unit = unit, .low = low, .high = high});
  return {shape,
          [shape](Reader& in, json::Value value, double& out) {
            const auto n = value.is(json::Type::kNumber) ? value.number() : std::nullopt;
            if (!n || *n < shape->low || *n > shape->high) return in.refuse(value, *shape);
            out = *n;
          },
          [](json::Writer& out, const double& value) { out.number(value); }};
}

Codec<Milliseconds> milliseconds(std::int64_t min, std::int64_t max) {
  const auto inner = integer<std::int64_t>(min, max, "ms");
  return {inner.shape,
          [inner](Reader& in, json::Value value, Milliseconds& out) {
            std::int64_t n = out.count();
            inner.read(in, value, n);
            out = Milliseconds(n);
          },
          [](json::Writer& out, const Milliseconds& value) { out.integer(value.count()); }};
}

Codec<std::string> text() { return text_of(kNotEmpty); }
Codec<std::string> text(const TextForm& form) { return text_of(form); }
Codec<std::string> any_text() { return text_of(kAnything); }

Codec<Scalar> scalar() {
  auto shape = shared({.kind = Shape::Kind::kScalar});
  return {shape,
          [shape](Reader& in, json::Value value, Scalar& out) {
            std::string scratch;
            switch (value.type()) {
              case json::Type::kNull:
                out = nullptr;
                break;
              case json::Type::kBool:
                out = *value.boolean();
                break;
              case json::Type::kString:
                out = std::string(value.text(scratch));
                break;
              case json::Type::kNumber:
                if (const auto n = value.integer())
                  out = *n;
                else
                  out = value.number().value_or(0);
                break;
              default:
                in.refuse(value, *shape);
            }
          },
          [](json::Writer& out, const Scalar& value) {
            struct Put {
              json::Writer& out;
              void operator()(std::nullptr_t) const { out.null(); }
              void operator()(bool b) const { out.boolean(b); }
              void operator()(std::int64_t n) const { out.integer(n); }
              void operator()(double n) const { out.number(n); }
              void operator()(const std::string& text) const { out.string(text); }
            };
            std::visit(Put{out}, value);
          }};
}

Codec<std::string> json_text() {
  return {shared({.kind = Shape::Kind::kAny}),
          [](Reader&, json::Value value, std::string& out) { out.assign(value.raw()); },
          [](json::Writer& out, const std::string& value) {
            // A program may have put anything there; validate() says so, and the document around it stays valid.
            if (json::Document::parse(Body::copy(value)))
              out.raw(trimmed(value));
            else
              out.null();
          }};
}

Codec<Secret> secret() {
  const auto reference = object<Reference>(
      "A secret",
      "A configuration refers to secrets and never holds one; dumps, errors and logs show `***` or the reference.",
      {field("env", &Reference::env, text(), "The environment variable that holds it, read at load and at reload.",
             "\"OPENAI_API_KEY\""),
       field("file", &Reference::file, text(), "The file that holds it; one newline at its end is cut off.",
             "\"/run/secrets/openai\"")},
      {"env", "file"});
  return {reference.shape,
          [reference](Reader& in, json::Value value, Secret& out) {
            if (!value.is(json::Type::kObject)) {
              // The text may be the secret itself: it is not repeated.
              if (in.source() == Source::kProgram && is_masked(value))
                return void(out = Secret::literal(std::string(kMasked)));
              return in.report(
                  "must refer to a secret, {\"env\": NAME} or {\"file\": PATH}; a configuration never holds the secret "
                  "itself");
            }
            Reference read;
            reference.read(in, value, read);
            if (!read.env.empty())
              out = Secret::env(std::move(read.env));
            else if (!read.file.empty())
              out = Secret::file(std::move(read.file));
          },
          [reference](json::Writer& out, const Secret& value) {
            Reference written;
            if (value.source() == Secret::Source::kEnvironment)
              written.env = value.reference();
            else if (value.source() == Secret::Source::kFile)
              written.file = value.reference();
            else
              return void(out.string(kMasked));
            reference.write(out, written);
          },
          [](const Secret& value) { return value.empty(); }};
}

}  // namespace sluice::gateway::config
