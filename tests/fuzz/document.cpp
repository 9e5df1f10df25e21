// The JSON pass: whatever it takes can be walked to the last value, and a splice of it is JSON again. (SEC-36)
#include <string>

#include "fuzz/check.hpp"
#include "json/document.hpp"
#include "json/splice.hpp"

namespace {

using namespace sluice;

std::size_t walk(json::Value value, std::string_view text, unsigned depth) {
  std::size_t seen = 1;
  std::string scratch;
  FUZZ_CHECK(value.offset() + value.length() <= text.size());
  switch (value.type()) {
    case json::Type::kString:
      FUZZ_CHECK(value.equals(value.text(scratch)));
      break;
    case json::Type::kNumber:
      FUZZ_CHECK(value.number().has_value());
      break;
    case json::Type::kBool:
      FUZZ_CHECK(value.boolean().has_value());
      break;
    case json::Type::kNull:
      break;
    case json::Type::kArray:
    case json::Type::kObject:
      FUZZ_CHECK(depth < 64);
      for (json::Value child = value.first(); child; child = child.next()) {
        if (value.is(json::Type::kObject)) (void)value.find(child.key(scratch));
        seen += walk(child, text, depth + 1);
      }
      break;
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::text(data, size);
  (void)json::decode_string(input);
  const auto document = json::Document::parse(Body::copy(input), {.depth = 60, .values = 2000});
  if (!document) return 0;
  walk(document->root(), input, 0);

  base::EditedBody edited(document->body());
  json::Editor editor;
  const bool set = editor.set_at(document->root(), "/model", R"("other")").has_value();
  const bool removed = editor.remove_at(document->root(), "/stream").has_value();
  editor.apply(edited);
  if (!set && !removed) return 0;
  const std::string text = edited.to_string();
  const auto again = json::Document::parse(Body::copy(text), {.depth = 62, .values = 2010});
  FUZZ_CHECK(again);
  if (set && document->root().is(json::Type::kObject)) {
    const auto model = again->root().find("model");
    FUZZ_CHECK(!model || model->equals("other"));
  }
  return 0;
}
