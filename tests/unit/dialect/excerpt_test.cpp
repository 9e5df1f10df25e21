// Foreign text made fit to be shown.

#include <catch2/catch.hpp>

#include "base/utf8.hpp"
#include "dialect/excerpt.hpp"

using sluice::dialect::excerpt;
using sluice::dialect::mask_keys;

TEST_CASE("an error page is reduced to its words") {
  CHECK(excerpt("<html>\r\n<head><title>502 Bad Gateway</title><style>p{a:b}</style></head>\r\n<body><center><h1>502 Bad Gateway</h1>"
                "</center><hr><script>var x = '<p>';</script>nginx/1.25<!-- a padding to disable MSIE --></body></html>") ==
        "502 Bad Gateway 502 Bad Gateway nginx/1.25");
}

TEST_CASE("comparisons in prose are no markup") { CHECK(excerpt("need n < 5 and 3>2") == "need n < 5 and 3>2"); }

TEST_CASE("an excerpt is short and ends between characters") {
  const std::string text = excerpt(std::string(79, 'x') + "\xc3\xa9tude", 80);
  CHECK(text == std::string(79, 'x'));
  CHECK(excerpt(std::string(1 << 20, '<'), 80).size() <= 80);
  CHECK(excerpt("caf\xe9").size() == 4);
  CHECK(sluice::base::is_utf8(excerpt("caf\xe9 \xff\xfe")));
}

TEST_CASE("controls and blanks become one blank") { CHECK(excerpt(std::string("a\0\x1b[31mb\n\n\tc", 12)) == "a [31mb c"); }

TEST_CASE("what looks like a key is masked") {
  CHECK(mask_keys("Incorrect API key provided: sk-proj-abcdefghijklmnop. Find yours") == "Incorrect API key provided: sk-*** Find yours");
  CHECK(mask_keys("Bearer abcdefghijklmnopqrst!") == "Bearer ***!");
  CHECK(mask_keys("gsk_0123456789abcdef and AIzaSyA0123456789abc") == "gsk_*** and AIza***");
  // What a provider has masked itself, and words that only begin alike, stay.
  CHECK(mask_keys("sk-ab***yz; task-force; hf_hub") == "sk-ab***yz; task-force; hf_hub");
}
