// Prints the class counts of texts, for the fit: the library's own counts, so that no second counter can differ.
//
//   token_classes --names        the classes, one a line
//   token_classes < texts        texts as `LENGTH\n` and as many bytes; one line of counts for each

#include <cstdio>
#include <iostream>
#include <string>

#include "chat/token_classes.hpp"

int main(int argc, char** argv) {
  using namespace sluice::chat;
  if (argc == 2 && std::string_view(argv[1]) == "--names") {
    for (std::size_t i = 0; i != kTokenClasses; ++i) std::cout << to_string(static_cast<TokenClass>(i)) << '\n';
    return 0;
  }
  std::ios::sync_with_stdio(false);
  std::string text;
  for (std::size_t length = 0; std::cin >> length && std::cin.get() == '\n';) {
    text.resize(length);
    if (!std::cin.read(text.data(), static_cast<std::streamsize>(length))) {
      std::fputs("the last text is shorter than its length says\n", stderr);
      return 1;
    }
    for (const std::uint64_t count : count_token_classes(text).counts) std::cout << count << ' ';
    std::cout << '\n';
  }
}
