// What sluice makes of texts with a rank file: `token_ids o200k_base|cl100k_base FILE`. Each text comes as its length, four
// bytes, the lowest first, and its bytes; a line goes out for each: how many tokens, whether that is exact, and which.
// For exact_tokens.py, which asks real tokenizers for the same.

#include <array>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "chat/bpe.hpp"

int main(int argc, char** argv) {
  using namespace sluice::chat::tokens;
  if (argc != 3) return 2;
  std::ifstream file(argv[2], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto ranks = RankTable::parse(text);
  if (!ranks) {
    std::cerr << ranks.error().message << '\n';
    return 1;
  }
  const Bpe bpe(std::string_view(argv[1]) == "cl100k_base" ? Vocabulary::kCl100k : Vocabulary::kO200k, std::move(*ranks));
  std::array<unsigned char, 4> size{};
  while (std::cin.read(reinterpret_cast<char*>(size.data()), 4)) {
    std::string one(size[0] | size[1] << 8 | size[2] << 16 | static_cast<std::uint32_t>(size[3]) << 24, '\0');
    std::cin.read(one.data(), static_cast<std::streamsize>(one.size()));
    std::vector<std::uint32_t> ids;
    const Count count = bpe.count(one);
    std::cout << count.tokens << ' ' << count.exact;
    if (bpe.encode(one, ids)) {
      for (const std::uint32_t id : ids) std::cout << ' ' << id;
    }
    std::cout << '\n';
  }
}
