// See tongues.hpp. Frames and lines are taken apart here.
#include "unit/sim/tongues.hpp"

#include <utility>

#include "unit/sim/rig.hpp"

namespace sluice::sim {
namespace {

/// Bit by bit, unlike the simulator's.
std::uint32_t checksum(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool differs = ((crc ^ (static_cast<unsigned char>(c) >> bit)) & 1U) != 0;
      crc = crc >> 1 ^ (differs ? 0xedb88320U : 0U);
    }
  }
  return ~crc;
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t n = 0;
  for (const char c : bytes) n = n << 8 | static_cast<unsigned char>(c);
  return n;
}

}  // namespace

std::vector<Frame> frames(std::string_view bytes) {
  std::vector<Frame> list;
  while (!bytes.empty()) {
    REQUIRE(bytes.size() >= 16);
    const std::uint32_t size = big_endian(bytes.substr(0, 4));
    const std::uint32_t headers_size = big_endian(bytes.substr(4, 4));
    REQUIRE(size <= bytes.size());
    REQUIRE(headers_size + 16 <= size);
    REQUIRE(big_endian(bytes.substr(8, 4)) == checksum(bytes.substr(0, 8)));
    REQUIRE(big_endian(bytes.substr(size - 4, 4)) == checksum(bytes.substr(0, size - 4)));
    Frame frame;
    for (std::string_view headers = bytes.substr(12, headers_size); !headers.empty();) {
      const std::size_t name_size = big_endian(headers.substr(0, 1));
      const std::string_view name = headers.substr(1, name_size);
      REQUIRE(headers.at(1 + name_size) == 7);
      const std::size_t value_size = big_endian(headers.substr(2 + name_size, 2));
      const std::string value(headers.substr(4 + name_size, value_size));
      if (name == ":event-type" || name == ":exception-type") frame.event = value;
      if (name == ":message-type") frame.message = value;
      if (name == ":content-type") frame.content = value;
      headers.remove_prefix(4 + name_size + value_size);
    }
    frame.payload = bytes.substr(12 + headers_size, size - 16 - headers_size);
    list.push_back(std::move(frame));
    bytes.remove_prefix(size);
  }
  return list;
}

std::vector<std::string> lines(std::string_view bytes) {
  std::vector<std::string> list;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    REQUIRE(end != std::string_view::npos);
    list.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  return list;
}

const std::vector<Tongue>& tongues() {
  static const std::vector<Tongue> all = [] {
    std::vector<Tongue> list = tongues_of_named_events();
    for (Tongue& one : tongues_of_other_framings()) list.push_back(std::move(one));
    return list;
  }();
  return all;
}

const Tongue& tongue(std::string_view name) {
  for (const Tongue& one : tongues()) {
    if (one.name == name) return one;
  }
  FAIL("there is no tongue '" << name << "'");
  return tongues().front();
}

}  // namespace sluice::sim
