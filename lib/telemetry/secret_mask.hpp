#pragma once
/// Takes secrets out of texts before they are written, in the forms in which others echo them. Knows the secrets; must
/// not know where a text comes from.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::telemetry {

/// Finds secrets as they are, percent-encoded (either case of the digits) and in base64 (both alphabets, at any place
/// of what was encoded). 12 bytes of a form's beginning are enough to know it by: providers shorten keys, and an
/// excerpt may end within one. Secrets of fewer than 4 bytes are let through: they would be found everywhere.
/// Thread: any, concurrently, once made. Cost: about one step for ten bytes of text, whatever the number of secrets.
class SecretMask {
 public:
  SecretMask() = default;
  explicit SecretMask(std::span<const std::string> secrets);
  SecretMask(const SecretMask&) = delete;
  SecretMask& operator=(const SecretMask&) = delete;
  ~SecretMask();  ///< wipes its copies

  [[nodiscard]] bool empty() const noexcept { return forms_.empty(); }
  /// True where a secret stands in `text`, or begins to.
  [[nodiscard]] bool finds(std::string_view text) const noexcept {
    return text.size() >= window_ && find(text, 0).size != 0;
  }
  /// Puts *** for every secret in `text`; true where there was one.
  bool apply(std::string& text) const;

 private:
  static constexpr std::size_t kTelling = 12;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Found {
    std::size_t at = 0, size = 0;
  };

  void add(std::string form);
  void prepare();
  [[nodiscard]] Found find(std::string_view text, std::size_t from) const noexcept;
  /// How far `text` goes on like `form`; 0 where that is too little to tell.
  [[nodiscard]] static std::size_t run(std::string_view form, std::string_view text) noexcept;

  // The forms' beginnings are looked for by their last two bytes: a pair that ends none of them says how far to go on.
  std::vector<std::string> forms_;
  std::size_t window_ = kNone;             // how much of each form's beginning that is; no text is as long as kNone
  std::vector<std::uint8_t> step_;         // by pair; 0: a beginning may end here
  std::vector<std::uint32_t> first_;       // by pair: the first form whose beginning ends with it, plus 1
  std::vector<std::uint32_t> next_;        // by form: the next such one, plus 1
};

}  // namespace sluice::telemetry
