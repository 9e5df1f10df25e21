// Texts, numbers and times of an event's line.

#include "telemetry/line.hpp"

#include <chrono>

#include "base/utf8.hpp"
#include "json/scan.hpp"
#include "json/writer.hpp"

namespace sluice::telemetry {
namespace {

char* put_four_digits(char* to, std::uint32_t n) noexcept {
  return put_two_digits(put_two_digits(to, n / 100), n % 100);
}

constexpr std::size_t kBlock = json::scan::Block::kSize;

/// Copies `text` to `to`, where a block more may be written; false where it needs escapes or is not ASCII.
[[gnu::always_inline]] inline bool copy_plain(std::string_view text, char* to) noexcept {
  const char* const from = text.data();
  const std::size_t size = text.size();
  std::uint32_t special = 0;
  const auto look = [&special](const char* at) {
    const json::scan::Block block = json::scan::block(at);
    special |= block.stops | block.high;
  };
  if (size >= kBlock) {
    for (std::size_t i = 0; i + kBlock < size; i += kBlock) {
      look(from + i);
      std::memcpy(to + i, from + i, kBlock);
    }
    // The last block from its end: it overlaps the one before.
    look(from + size - kBlock);
    std::memcpy(to + size - kBlock, from + size - kBlock, kBlock);
    return special == 0;
  }
  // Less than a block: two copies that overlap, over plain bytes.
  std::memset(to, ' ', kBlock);
  if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
  look(to);
  return special == 0;
}

}  // namespace

char* put_number(char* to, std::uint64_t n) noexcept {
  constexpr std::uint32_t kTenThousand = 10'000;
  if (n >= std::uint64_t{kTenThousand} * kTenThousand) return std::to_chars(to, to + 20, n).ptr;
  const auto all = static_cast<std::uint32_t>(n);
  const std::uint32_t head = all < kTenThousand ? all : all / kTenThousand;
  if (head < 10) *to++ = static_cast<char>('0' + head);
  else if (head < 100) to = put_two_digits(to, head);
  else if (head < 1000) to = put_three_digits(to, head);
  else to = put_four_digits(to, head);
  return all < kTenThousand ? to : put_four_digits(to, all % kTenThousand);
}

char* put_time(char* to, WallTime time) noexcept {
  using namespace std::chrono;
  constexpr auto kFirst = sys_days{year{0} / January / 1}, kEnd = sys_days{year{10'000} / January / 1};
  const WallTime shown = std::clamp<WallTime>(time, kFirst, kEnd - milliseconds{1});
  const auto day = floor<days>(shown);
  const year_month_day date{day};
  const auto of_day = static_cast<std::uint32_t>((shown - day).count());
  const auto then = [&to](char mark) { *to++ = mark; };
  then('"');
  to = put_four_digits(to, static_cast<std::uint32_t>(static_cast<int>(date.year()))), then('-');
  to = put_two_digits(to, static_cast<unsigned>(date.month())), then('-');
  to = put_two_digits(to, static_cast<unsigned>(date.day())), then('T');
  to = put_two_digits(to, of_day / 3'600'000), then(':');
  to = put_two_digits(to, of_day / 60'000 % 60), then(':');
  to = put_two_digits(to, of_day / 1000 % 60), then('.');
  to = put_three_digits(to, of_day % 1000), then('Z');
  then('"');
  return to;
}

void Line::string(char* to, std::string_view text) {
  static_assert(kShort + 2 + kBlock <= kBuffer && kShort <= kLongest);
  if (text.size() > kShort || (mask_ != nullptr && mask_->finds(text))) return slow_string(to, text, kLongest);
  if (end_ - to < static_cast<std::ptrdiff_t>(text.size() + 2 + kBlock)) {
    at_ = to;
    finish();
    to = at_;
  }
  if (!copy_plain(text, to + 1)) return slow_string(to, text, kLongest);
  *to = '"';
  to[text.size() + 1] = '"';
  at_ = to + text.size() + 2;
}

void Line::slow_string(char* to, std::string_view text, std::size_t longest) {
  at_ = to;
  finish();
  std::string changed;
  // Masked before it is cut: a part of a secret would no longer be known as one.
  if (mask_ != nullptr && mask_->finds(text)) {
    changed = text;
    (void)mask_->apply(changed);
    text = changed;
  }
  if (text.size() > longest) {
    changed = std::string(base::truncate_utf8(text, longest)) + "...";
    text = changed;
  }
  json::append_string(out_, text);
}

}  // namespace sluice::telemetry
