// See aws_frame.hpp.
#include "sim/aws_frame.hpp"

#include <array>
#include <cstddef>

namespace sluice::sim {
namespace {

constexpr std::uint32_t kPolynomial = 0xedb88320U;  // bits in the order they are sent
constexpr char kString = 7;                          // the type of a header
constexpr std::size_t kAround = 16;                  // both lengths and both checksums

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ ((rest & 1) != 0 ? kPolynomial : 0);
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

/// The highest byte first, in `size` bytes.
void append_big_endian(std::string& out, std::uint64_t n, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) noexcept {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

std::string aws_frame(std::initializer_list<std::pair<std::string_view, std::string_view>> headers, std::string_view payload) {
  std::string block;
  for (const auto& [name, value] : headers) {
    append_big_endian(block, name.size(), 1);
    block += name;
    block += kString;
    append_big_endian(block, value.size(), 2);
    block += value;
  }
  std::string out;
  out.reserve(kAround + block.size() + payload.size());
  append_big_endian(out, kAround + block.size() + payload.size(), 4);
  append_big_endian(out, block.size(), 4);
  append_big_endian(out, crc32(out), 4);
  out.append(block).append(payload);
  append_big_endian(out, crc32(out), 4);
  return out;
}

}  // namespace sluice::sim
