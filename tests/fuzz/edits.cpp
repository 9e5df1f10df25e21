// The JSON pass against an independent judge, and series of edits: what simdjson's DOM takes we take and the other way
// round, and any edits of it give JSON.
#include <string>

#include <simdjson.h>

#include "fuzz/check.hpp"
#include "json/document.hpp"
#include "json/splice.hpp"

namespace {

using namespace sluice;

void agree_with_judge(std::string_view text) {
  static simdjson::dom::parser judge;
  const auto ours = json::Document::parse(Body::copy(text));
  const simdjson::error_code theirs = judge.parse(text.data(), text.size()).error();
  // It refuses integers beyond 64 bits, which RFC 8259 allows; newer versions skip a byte order mark.
  if (theirs == simdjson::NUMBER_ERROR || text.starts_with("\xEF\xBB\xBF")) return;
  FUZZ_CHECK(ours.has_value() == (theirs == simdjson::SUCCESS) || theirs == simdjson::DEPTH_ERROR);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text(data, size);
  // Up to seven edits below the root, chosen by the first bytes: what they do, and to which of the first members.
  std::string program(input.substr(0, std::min<std::size_t>(input.size(), 7)));
  input.remove_prefix(program.size());
  agree_with_judge(input);

  const auto document = json::Document::parse(Body::copy(input));
  if (!document) return 0;
  json::Editor editor;
  std::string scratch;
  for (const char step : program) {
    const auto choice = static_cast<unsigned char>(step);
    json::Value child = document->root().first();
    for (unsigned skip = choice & 7U; skip != 0 && child; --skip) child = child.next();
    switch (choice >> 3 & 3U) {
      case 0: editor.remove(document->root(), child); break;
      case 1: editor.replace(child, R"({"new":[1]})"); break;
      case 2: (void)editor.set(document->root(), choice & 32 ? "a" : "\"", "[]"); break;
      default: (void)editor.set_at(document->root(), choice & 32 ? "/a/b" : "/a/c", "0"); break;
    }
  }
  base::EditedBody edited(document->body());
  editor.apply(edited);
  const std::string text = edited.to_string();
  FUZZ_CHECK(text.size() == edited.size());
  FUZZ_CHECK(json::Document::parse(Body::copy(text), {.depth = 1030}));
  return 0;
}
