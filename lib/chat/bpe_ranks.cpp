// Reading a rank file, and the hash table behind it.

#include "chat/bpe_ranks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace sluice::chat::tokens {
namespace {

std::uint64_t load(const char* p, std::size_t n) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, p, n);
  return word;
}

/// Any mixing will do: who chooses the tokens owns the gateway, and a miss ends at the first empty slot.
std::uint64_t hash(std::string_view bytes) noexcept {
  constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15;
  std::uint64_t h = bytes.size() * kOdd;
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left > 8; left -= 8, p += 8) {
    h = (h ^ load(p, 8)) * kOdd;
    h ^= h >> 32;
  }
  h = (h ^ load(p, left)) * kOdd;
  return h ^ h >> 29;
}

std::uint32_t tag_of(std::uint64_t h) noexcept { return static_cast<std::uint32_t>(h >> 32); }

constexpr auto kSextets = [] {
  std::array<std::int8_t, 256> of{};
  of.fill(-1);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i != kAlphabet.size(); ++i) of[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return of;
}();

/// Appends what padded base64 stands for; false where it is none.
bool decode_base64(std::string_view text, std::string& out) {
  if (text.empty() || text.size() % 4 != 0) return false;
  const std::size_t padding = text.back() != '=' ? 0 : text[text.size() - 2] != '=' ? 1 : 2;
  std::uint32_t held = 0;
  for (std::size_t i = 0; i != text.size(); ++i) {
    const bool padded = i >= text.size() - padding;
    const std::int8_t sextet = padded ? std::int8_t{0} : kSextets[static_cast<unsigned char>(text[i])];
    if (sextet < 0) return false;
    held = held << 6 | static_cast<std::uint32_t>(sextet);
    if (i % 4 != 3) continue;
    const std::array<char, 3> three = {static_cast<char>(held >> 16), static_cast<char>(held >> 8), static_cast<char>(held)};
    out.append(three.data(), i + 1 == text.size() ? 3 - padding : 3);
    held = 0;
  }
  return true;
}

struct Entry {
  std::uint32_t rank, offset, size;
  std::size_t line;
};

tl::unexpected<Error> wrong(std::size_t line, const std::string& what) {
  return fail(Code::kInvalidConfiguration, fmt::format("line {}: {}", line, what));
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out + (text.size() > kShown ? "...'" : "'");
}

}  // namespace

Result<RankTable> RankTable::parse(std::string_view file) {
  if (file.size() > kMaxFileBytes) {
    return fail(Code::kInvalidConfiguration, fmt::format("{} bytes are more than the {} of any rank file", file.size(), kMaxFileBytes));
  }
  std::vector<Entry> entries;
  std::string bytes;
  std::size_t number = 0;
  while (!file.empty()) {
    ++number;
    const std::size_t end = std::min(file.find('\n'), file.size());
    std::string_view line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return wrong(number, shown(line) + " is not a token and its rank with a space between");
    Entry entry{0, static_cast<std::uint32_t>(bytes.size()), 0, number};
    if (!decode_base64(line.substr(0, space), bytes)) return wrong(number, shown(line.substr(0, space)) + " is no base64");
    entry.size = static_cast<std::uint32_t>(bytes.size()) - entry.offset;
    if (entry.size > kMaxTokenBytes) return wrong(number, fmt::format("a token of {} bytes; the longest may have {}", entry.size, kMaxTokenBytes));
    const std::string_view digits = line.substr(space + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), entry.rank);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || entry.rank > kMaxRank) {
      return wrong(number, fmt::format("{} is no rank from 0 to {}", shown(digits), kMaxRank));
    }
    entries.push_back(entry);
  }

  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.rank < b.rank; });
  RankTable table;
  table.size_ = entries.size();
  std::size_t slots = 512;
  while (slots < entries.size() * 2) slots *= 2;
  table.slots_.resize(slots);
  table.pairs_.assign(std::size_t{1} << 16, kNone);
  table.bytes_.reserve(bytes.size());
  table.offsets_.reserve(entries.empty() ? 1 : entries.back().rank + 2);
  for (std::size_t i = 0; i != entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (i != 0 && entries[i - 1].rank == entry.rank) {
      return wrong(entry.line, fmt::format("rank {} stands in line {} already", entry.rank, entries[i - 1].line));
    }
    const std::string_view token = std::string_view(bytes).substr(entry.offset, entry.size);
    while (table.offsets_.size() <= entry.rank) table.offsets_.push_back(static_cast<std::uint32_t>(table.bytes_.size()));
    table.bytes_ += token;
    table.longest_ = std::max(table.longest_, token.size());
    const std::uint64_t h = hash(token);
    std::size_t at = h & (slots - 1);
    while (table.slots_[at].rank != kNone) {
      if (const std::uint32_t other = table.slots_[at].rank; table.token(other) == token) {
        return wrong(entry.line, fmt::format("its token has rank {} already", other));
      }
      at = (at + 1) & (slots - 1);
    }
    table.slots_[at] = {tag_of(h), entry.rank};
    if (token.size() == 2) {
      table.pairs_[static_cast<std::size_t>(static_cast<unsigned char>(token[0])) << 8 | static_cast<unsigned char>(token[1])] = entry.rank;
    }
  }
  table.offsets_.push_back(static_cast<std::uint32_t>(table.bytes_.size()));
  for (int byte = 0; byte != 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (table.find({&c, 1}) == kNone) {
      return fail(Code::kInvalidConfiguration,
                  fmt::format("{} tokens, and none is the byte 0x{:02x} alone: not every text could be counted", table.size_, byte));
    }
  }
  return table;
}

std::uint32_t RankTable::find(std::string_view bytes) const noexcept {
  if (bytes.size() > longest_) return kNone;
  const std::uint64_t h = hash(bytes);
  const std::uint32_t tag = tag_of(h);
  for (std::size_t at = h & (slots_.size() - 1); slots_[at].rank != kNone; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].tag == tag && token(slots_[at].rank) == bytes) return slots_[at].rank;
  }
  return kNone;
}

std::string_view RankTable::token(std::uint32_t rank) const noexcept {
  if (rank >= offsets_.size()) return {};
  const std::size_t begin = offsets_[rank];
  const std::size_t end = rank + 1 < offsets_.size() ? offsets_[rank + 1] : bytes_.size();
  return std::string_view(bytes_).substr(begin, end - begin);
}

std::size_t RankTable::memory_bytes() const noexcept {
  return slots_.capacity() * sizeof(Slot) + (offsets_.capacity() + pairs_.capacity()) * sizeof(std::uint32_t) + bytes_.capacity();
}

}  // namespace sluice::chat::tokens
