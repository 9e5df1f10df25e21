// sluiced: serves a configuration, or says what there is to say about one.
#include <fmt/format.h>

#include <exception>
#include <string_view>
#include <vector>

#include "commands.hpp"

int main(int argc, char** argv) {
  try {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    const auto options = sluiced::parse_options(arguments);
    if (options) return sluiced::run(*options);
    fmt::print(stderr, "sluiced: {}\n\n{}", options.error(), sluiced::kHelp);
    return sluiced::kUsage;
  } catch (const std::exception& failure) {  // nothing of sluice throws; the allocator may
    return sluiced::complain(failure.what());
  }
}
