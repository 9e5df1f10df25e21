#include "request_file.hpp"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "gateway/config_codec.hpp"
#include "json/document.hpp"

namespace sluiced {

namespace {

namespace cfg = sluice::gateway::config;
using sluice::Code;

/// The file as it stands; a body may be any JSON value, or a text that is sent as it is.
struct Asked {
  std::string method, target, body, consumer;
  std::map<std::string, std::string> headers;
};

const cfg::Codec<Asked>& table() {
  static const auto codec = cfg::object<Asked>(
      {}, {},
      {cfg::field("method", &Asked::method, cfg::text(), "The method. Unset: POST with a body, GET without."),
       cfg::required(cfg::field("target", &Asked::target, cfg::text(), "Path and query.")),
       cfg::field("headers", &Asked::headers, cfg::map_of(cfg::any_text()), "Header fields."),
       cfg::field("body", &Asked::body, cfg::json_text(), "A JSON value, or a text that is sent as it is."),
       cfg::field("consumer", &Asked::consumer, cfg::text(), "The consumer that asks; no key is looked at then.")});
  return codec;
}

}  // namespace

sluice::Result<AskedRequest> parse_request(std::string_view text) {
  const auto document = sluice::json::Document::parse(sluice::Body::copy(text));
  if (!document) return sluice::fail(Code::kInvalidRequest, document.error().message);
  std::vector<sluice::Problem> problems;
  cfg::find_duplicate_keys(document->root(), problems);
  cfg::Reader reader(problems, cfg::Source::kFile);
  Asked asked;
  table().read(reader, document->root(), asked);

  AskedRequest out;
  const auto body =
      document->root().is(sluice::json::Type::kObject) ? document->root().find("body") : sluice::json::Value{};
  std::string scratch;
  if (body && *body && body->is(sluice::json::Type::kString)) asked.body = body->text(scratch);
  for (const auto& [name, value] : asked.headers) {
    if (cfg::is_annotation(name)) continue;
    if (const auto added = out.request.headers.add(name, value); !added)
      problems.push_back({"/headers/" + name, added.error().message});
  }
  if (!problems.empty()) return sluice::fail(Code::kInvalidRequest, sluice::to_string(problems));
  const bool is_json = body && *body && !body->is(sluice::json::Type::kString);
  if (is_json && !out.request.headers.contains("content-type"))
    out.request.headers.add_trusted("content-type", "application/json");
  out.request.method = !asked.method.empty() ? asked.method : asked.body.empty() ? "GET" : "POST";
  out.request.target = asked.target;
  out.request.body = sluice::Body::copy(asked.body);
  out.options.consumer = asked.consumer;
  return out;
}

sluice::Result<AskedRequest> load_request(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    return sluice::fail(Code::kFileUnreadable, fmt::format("request file '{}' cannot be read, or is empty", path));
  auto request = parse_request(text.view());
  if (!request)
    request.error().message = fmt::format("request file '{}' is not valid:\n{}", path, request.error().message);
  return request;
}

}  // namespace sluiced
