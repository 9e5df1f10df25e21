// The field scanner agrees with the full parser, at every cut. (SEC-36)
#include <array>
#include <string>

#include "fuzz/check.hpp"
#include "json/document.hpp"
#include "json/field_scanner.hpp"

namespace {

constexpr std::array<std::string_view, 3> kFields = {"usage", "model", "error"};

std::array<std::string, 3> scan(std::string_view input, std::size_t piece, bool& complete) {
  sluice::json::FieldScanner scanner(kFields, 512);
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) scanner.feed(input.substr(0, piece));
  complete = scanner.complete();
  return {std::string(scanner.value(0)), std::string(scanner.value(1)), std::string(scanner.value(2))};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  auto input = fuzz::text(data, size);
  const std::size_t piece = 1 + fuzz::take(input) % 16;
  bool cut_complete = false, complete = false;
  const auto cut = scan(input, piece, cut_complete), whole = scan(input, std::string_view::npos, complete);
  FUZZ_CHECK(cut == whole && cut_complete == complete);

  const auto document = json::Document::parse(Body::copy(input));
  if (!document || !document->root().is(json::Type::kObject)) return 0;
  FUZZ_CHECK(complete);
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const auto value = document->root().find(kFields[i]);
    if (!value || whole[i].empty()) continue;  // a repeated key, or a value too long to be kept
    FUZZ_CHECK(*value && value->raw() == whole[i]);
  }
  return 0;
}
