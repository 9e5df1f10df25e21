// JSONTestSuite (Nicolas Seriot, MIT), read in place: what must be accepted is, what must be refused is, and what RFC 8259
// leaves open is decided in the table below. Our own cases stand in tests/golden/json.

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "json/document.hpp"

using namespace sluice;
using json::Document;
namespace fs = std::filesystem;

namespace {

fs::path datasets() {
  const char* fixtures = std::getenv("SLUICE_FIXTURES");
  const fs::path base = fixtures != nullptr ? fs::path(fixtures) : fs::path(SLUICE_SOURCE_DIR) / "../shared/fixtures";
  return base.parent_path() / "datasets";
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

// The cases RFC 8259 leaves to the implementation. Our rule: what two readers could take for different values is refused
// (lone surrogates, broken UTF-8, other encodings, a byte order mark, numbers that only an infinity could stand for);
// what merely loses precision is accepted, since the text is passed on as it is.
const std::map<std::string, bool> kOpen = {
    {"i_number_double_huge_neg_exp.json", true},   // too small: zero
    {"i_number_huge_exp.json", false},
    {"i_number_neg_int_huge_exp.json", false},
    {"i_number_pos_double_huge_exp.json", false},
    {"i_number_real_neg_overflow.json", false},
    {"i_number_real_pos_overflow.json", false},
    {"i_number_real_underflow.json", true},
    {"i_number_too_big_neg_int.json", true},
    {"i_number_too_big_pos_int.json", true},
    {"i_number_very_big_negative_int.json", true},
    {"i_object_key_lone_2nd_surrogate.json", false},
    {"i_string_1st_surrogate_but_2nd_missing.json", false},
    {"i_string_1st_valid_surrogate_2nd_invalid.json", false},
    {"i_string_UTF-16LE_with_BOM.json", false},
    {"i_string_UTF-8_invalid_sequence.json", false},
    {"i_string_UTF8_surrogate_U+D800.json", false},
    {"i_string_incomplete_surrogate_and_escape_valid.json", false},
    {"i_string_incomplete_surrogate_pair.json", false},
    {"i_string_incomplete_surrogates_escape_valid.json", false},
    {"i_string_invalid_lonely_surrogate.json", false},
    {"i_string_invalid_surrogate.json", false},
    {"i_string_invalid_utf-8.json", false},
    {"i_string_inverted_surrogates_U+1D11E.json", false},
    {"i_string_iso_latin_1.json", false},
    {"i_string_lone_second_surrogate.json", false},
    {"i_string_lone_utf8_continuation_byte.json", false},
    {"i_string_not_in_unicode_range.json", false},
    {"i_string_overlong_sequence_2_bytes.json", false},
    {"i_string_overlong_sequence_6_bytes.json", false},
    {"i_string_overlong_sequence_6_bytes_null.json", false},
    {"i_string_truncated-utf-8.json", false},
    {"i_string_utf16BE_no_BOM.json", false},
    {"i_string_utf16LE_no_BOM.json", false},
    {"i_structure_500_nested_arrays.json", true},  // below the limit of 1024
    {"i_structure_UTF-8_BOM_empty_object.json", false},
};

}  // namespace

// SEC-31
TEST_CASE("JSONTestSuite: y is accepted, n is refused, i is decided as the table says") {
  const fs::path suite = datasets() / "JSONTestSuite" / "test_parsing";
  if (!fs::is_directory(suite)) {
    WARN("skipped: no JSONTestSuite beside the fixtures (set SLUICE_FIXTURES)");
    return;
  }
  std::size_t y = 0, n = 0, i = 0;
  for (const auto& entry : fs::directory_iterator(suite)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".json") continue;
    const bool accepted = Document::parse(Body::copy(contents(entry.path()))).has_value();
    INFO(name);
    if (name[0] == 'y') {
      ++y;
      CHECK(accepted);
    } else if (name[0] == 'n') {
      ++n;
      CHECK_FALSE(accepted);
    } else {
      ++i;
      REQUIRE(kOpen.count(name) == 1);
      CHECK(accepted == kOpen.at(name));
    }
  }
  CHECK(y == 95);
  CHECK(n == 188);
  CHECK(i == kOpen.size());
}

TEST_CASE("the golden grammar cases are decided as they say") {
  const auto cases = Document::parse(Body::copy(contents(fs::path(SLUICE_SOURCE_DIR) / "tests/golden/json/grammar.json")));
  REQUIRE(cases);
  std::size_t seen = 0;
  for (json::Value row = cases->root().first(); row; row = row.next(), ++seen) {
    std::string text, verdict, why;
    const std::string decoded(row.find("text")->text(text));
    const std::string_view expected = row.find("verdict")->text(verdict);
    INFO(row.find("why")->text(why) << ": " << decoded);
    const auto document = Document::parse(Body::copy(decoded));
    CHECK(expected == (document ? "ok" : to_string(document.error().code)));
  }
  CHECK(seen > 20);
}
