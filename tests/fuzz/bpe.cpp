// Any bytes as a rank file and as text: no crash; what a file is refused for is told; a text has no more tokens than bytes,
// and its tokens put together are the text.

#include <cstdint>
#include <string>
#include <vector>

#include "chat/bpe.hpp"
#include "chat/pretokens.hpp"
#include "fuzz/check.hpp"
#include "unit/chat/rank_table.hpp"

using namespace sluice;
using namespace sluice::chat::tokens;

namespace {

void count(const Bpe& bpe, std::string_view text) {
  const Count counted = bpe.count(text);
  FUZZ_CHECK(counted.tokens <= text.size());
  FUZZ_CHECK((counted.tokens == 0) == text.empty());
  std::vector<std::uint32_t> tokens;
  if (!bpe.encode(text, tokens)) {
    FUZZ_CHECK(!counted.exact);
    return;
  }
  FUZZ_CHECK(tokens.size() == counted.tokens);
  std::string again;
  for (const std::uint32_t token : tokens) again += bpe.ranks().token(token);
  FUZZ_CHECK(again == text);
}

const RankTable& made_up() {
  static const RankTable table = *RankTable::parse(tests::rank_file(tests::learned(300, 1)));
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text(data, size);
  const std::uint8_t choice = fuzz::take(text);
  const Vocabulary vocabulary = (choice & 1) != 0 ? Vocabulary::kCl100k : Vocabulary::kO200k;
  if ((choice & 2) != 0) {
    // With the single bytes before it, more of what comes is read to its end.
    const std::string file = (choice & 4) != 0 ? std::string(text) : tests::rank_file(tests::tokens_with({})) + std::string(text);
    auto table = RankTable::parse(file);
    if (!table) {
      FUZZ_CHECK(!table.error().message.empty());
      return 0;
    }
    count(Bpe(vocabulary, std::move(*table)), text);
    return 0;
  }
  count(Bpe(vocabulary, made_up()), text);
  return 0;
}
