#pragma once
/// The vocabularies of a configuration, read from their files, and which of them counts a model's texts.
/// Knows names of models; must not know requests.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/bpe.hpp"
#include "sluice/error.hpp"
#include "sluice/tokens.hpp"

namespace sluice::gateway {

/// Immutable. Thread: any.
class Vocabularies {
 public:
  /// Reads the files. Errors: kInvalidConfiguration with the setting, the file, and what is wrong in which line.
  [[nodiscard]] static Result<std::shared_ptr<const Vocabularies>> load(const TokenOptions& options);

  /// The vocabulary that cuts text as `model` does, by its name as it is sent to an upstream; null where none is known.
  /// Lifetime: of this.
  [[nodiscard]] const chat::tokens::Bpe* of(std::string_view model) const noexcept;

 private:
  struct Entry {
    std::vector<std::string> models;
    chat::tokens::Bpe bpe;
  };
  std::vector<Entry> entries_;
};

}  // namespace sluice::gateway
