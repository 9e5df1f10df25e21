#pragma once
/// What a translation could not carry over. Kept with the exchange, never silent.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat {

enum class LossSeverity : std::uint8_t {
  kNote,      ///< carried in another form that does the same (a system turn folded, an id rewritten, an emulation)
  kCosmetic,  ///< dropped: a telemetry or sampling field without which the answer is still one to what was asked (user,
              ///< store, metadata, seed, logit_bias, penalties)
  kSemantic,  ///< cannot be dropped: the caller would get an answer to something else (tools, a forced choice, a response
              ///< format, n > 1, logprobs, images, audio)
};
[[nodiscard]] std::string_view to_string(LossSeverity severity) noexcept;

/// One field, and why it did not arrive.
struct Loss {
  std::string field;   ///< as the caller knows it: `logit_bias`, `messages[2].content[1]`
  std::string reason;  ///< one clause: "anthropic has no logit bias"
  LossSeverity severity = LossSeverity::kSemantic;
  friend bool operator==(const Loss&, const Loss&) = default;
};

/// All losses of one translation, in the order they were met. Bounded: what is above kMaxEntries is counted only.
class LossReport {
 public:
  static constexpr std::size_t kMaxEntries = 64;

  /// Adds a loss; the same field with the same reason is kept once.
  void add(std::string field, std::string reason, LossSeverity severity);

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] const std::vector<Loss>& entries() const noexcept { return entries_; }
  /// Losses that were counted but not kept.
  [[nodiscard]] std::size_t beyond() const noexcept { return beyond_; }
  /// The gravest entry; kNote where there is none.
  [[nodiscard]] LossSeverity worst() const noexcept;
  /// The first entry at least as grave as `severity`, or null; what a strict route refuses with.
  [[nodiscard]] const Loss* first_at_least(LossSeverity severity) const noexcept;
  void clear() noexcept;

 private:
  std::vector<Loss> entries_;
  std::uint64_t seen_ = 0;  // a bit of 64 for each field added: most are new, and need not be looked for
  std::size_t beyond_ = 0;
  LossSeverity worst_ = LossSeverity::kNote;
};

}  // namespace sluice::chat
