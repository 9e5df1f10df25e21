// Header fields in one arena. Knows names and bytes; must not know what any field means.

#include "sluice/headers.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>

namespace sluice {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighs = 0x8080808080808080ULL;

// Room for these is made with the first field of a list that nobody has reserved.
constexpr std::size_t kFirstFields = 8;

// RFC 9110, 5.6.2: the characters of a token.
constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

std::uint64_t load8(const char* p) noexcept {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// Eight bytes at once, A-Z made lower case. Each byte is looked at in its low seven bits, so that no carry crosses.
std::uint64_t lower8(std::uint64_t word) noexcept {
  const std::uint64_t low = word & ~kHighs;
  const std::uint64_t from_a = low + kOnes * (0x80 - 'A');
  const std::uint64_t past_z = low + kOnes * (0x7f - 'Z');
  const std::uint64_t upper = (from_a & ~past_z) & ~word & kHighs;
  return word | (upper >> 2);
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// True where one of eight bytes is below 0x20 or is DEL. Exact as a whole word, not byte for byte.
bool has_control(std::uint64_t word) noexcept {
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
  const std::uint64_t del = word ^ (kOnes * 0x7f);
  return (below_space | ((del - kOnes) & ~del & kHighs)) != 0;
}

bool bad_value_byte(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const std::size_t n = a.size();
  if (n < 8) {
    for (std::size_t i = 0; i < n; ++i)
      if (lower(a[i]) != lower(b[i])) return false;
    return true;
  }
  // The last word overlaps the one before it: no tail loop.
  for (std::size_t i = 0; i + 8 < n; i += 8)
    if (lower8(load8(a.data() + i)) != lower8(load8(b.data() + i))) return false;
  return lower8(load8(a.data() + n - 8)) == lower8(load8(b.data() + n - 8));
}

bool is_header_name(std::string_view name) noexcept {
  if (name.empty()) return false;
  for (char c : name)
    if (!kToken[static_cast<unsigned char>(c)]) return false;
  return true;
}

bool is_header_value(std::string_view value) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= value.size(); i += 8) {
    if (!has_control(load8(value.data() + i))) continue;
    for (std::size_t k = i; k < i + 8; ++k)  // it may be an HTAB, which is allowed
      if (bad_value_byte(value[k])) return false;
  }
  for (; i < value.size(); ++i)
    if (bad_value_byte(value[i])) return false;
  return true;
}

Headers::Headers(std::initializer_list<HeaderField> fields) {
  for (const HeaderField& field : fields) {
    [[maybe_unused]] const Status added = add(field.name, field.value);
    assert(added && "a literal header field is invalid");
  }
}

Status Headers::add(std::string_view name, std::string_view value) {
  if (!is_header_name(name))
    return fail(Code::kInvalidHeader,
                "a header name is empty or holds a character that no name may hold; use letters, digits and "
                "!#$%&'*+-.^_`|~");
  value = trim(value);
  // The value may be a secret or an attack: the message names the field alone.
  if (!is_header_value(value))
    return fail(
        Code::kInvalidHeader,
        "the value of header '" + std::string(name) + "' holds a control character (CR, LF, NUL or another); remove it",
        std::string(name));
  if (name.size() + value.size() > std::numeric_limits<std::uint32_t>::max() - arena_.size())
    return fail(Code::kHeaderTooLarge, "header '" + std::string(name) + "' makes the list longer than 4 GiB; send less",
                std::string(name));
  add_trusted(name, value);
  return {};
}

void Headers::add_trusted(std::string_view name, std::string_view value) {
  value = trim(value);
  const std::size_t at = arena_.size();
  const std::size_t need = at + name.size() + value.size();
  assert(need <= std::numeric_limits<std::uint32_t>::max());
  if (need > arena_.capacity()) {
    // A fresh arena, filled before the old one goes: `name` or `value` may be a view of this very list.
    // The first one holds a small answer's head whole: 22 bytes a field are usual.
    std::string grown;
    grown.reserve(std::max({need, 2 * arena_.capacity(), kFirstFields * 24}));
    grown.append(arena_).append(name).append(value);
    arena_.swap(grown);
  } else {
    arena_.append(name).append(value);
  }
  if (entries_.capacity() == 0) entries_.reserve(kFirstFields);
  entries_.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(at + name.size()), static_cast<std::uint32_t>(value.size())});
}

Status Headers::set(std::string_view name, std::string_view value) {
  const std::string key(name);  // `name` may be a view of a field that goes
  // Appended first, so that an invalid field changes nothing; then the older ones go.
  if (Status added = add(name, value); !added) return added;
  remove_among(key, entries_.size() - 1);
  return {};
}

std::size_t Headers::remove(std::string_view name) {
  if (!contains(name)) return 0;
  const std::string key(name);  // as in set
  return remove_among(key, entries_.size());
}

std::size_t Headers::remove_among(std::string_view name, std::size_t among) {
  std::size_t removed = 0;
  std::size_t write = 0;  // where the next kept bytes go in the arena
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry entry = entries_[i];
    if (i < among && same_name({arena_.data() + entry.name_at, entry.name_size}, name)) {
      ++removed;
      continue;
    }
    const std::size_t size = std::size_t{entry.name_size} + entry.value_size;  // a value lies right behind its name
    if (write != entry.name_at) std::memmove(arena_.data() + write, arena_.data() + entry.name_at, size);
    entries_[kept++] = {static_cast<std::uint32_t>(write), entry.name_size,
                        static_cast<std::uint32_t>(write + entry.name_size), entry.value_size};
    write += size;
  }
  arena_.resize(write);
  entries_.resize(kept);
  return removed;
}

void Headers::clear() noexcept {
  arena_.clear();
  entries_.clear();
}

void Headers::reserve(std::size_t fields, std::size_t bytes) {
  entries_.reserve(fields);
  arena_.reserve(bytes);
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
  for (const Entry& entry : entries_)
    if (entry.name_size == name.size() && same_name({arena_.data() + entry.name_at, entry.name_size}, name))
      return std::string_view(arena_.data() + entry.value_at, entry.value_size);
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const noexcept {
  std::size_t found = 0;
  for (const Entry& entry : entries_) found += same_name({arena_.data() + entry.name_at, entry.name_size}, name);
  return found;
}

HeaderField Headers::operator[](std::size_t i) const noexcept {
  assert(i < entries_.size());
  const Entry& entry = entries_[i];
  return {{arena_.data() + entry.name_at, entry.name_size}, {arena_.data() + entry.value_at, entry.value_size}};
}

}  // namespace sluice
