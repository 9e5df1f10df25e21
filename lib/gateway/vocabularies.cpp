// Rank files, read once for each configuration.

#include "gateway/vocabularies.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include "base/glob.hpp"

namespace sluice::gateway {
namespace {

using chat::tokens::RankTable;
using chat::tokens::Vocabulary;

/// All of a file, and no more than a byte above what any rank file has.
Result<std::string> contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::string piece(1 << 16, '\0');
  while (in && text.size() <= RankTable::kMaxFileBytes) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece, 0, static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof() && text.size() <= RankTable::kMaxFileBytes) {
    return fail(Code::kInvalidConfiguration, "it cannot be read; check path and permissions");
  }
  return text;
}

constexpr Vocabulary vocabulary_of(TokenEncoding encoding) {
  return encoding == TokenEncoding::kCl100kBase ? Vocabulary::kCl100k : Vocabulary::kO200k;
}

}  // namespace

Result<std::shared_ptr<const Vocabularies>> Vocabularies::load(const TokenOptions& options) {
  auto out = std::make_shared<Vocabularies>();
  for (std::size_t i = 0; i != options.ranks.size(); ++i) {
    const TokenRanks& one = options.ranks[i];
    const auto text = contents(one.file);
    auto ranks = text ? RankTable::parse(*text) : Result<RankTable>(tl::unexpected(text.error()));
    if (!ranks) {
      const std::string pointer = "/gateway/tokens/ranks/" + std::to_string(i) + "/file";
      return fail(Code::kInvalidConfiguration, pointer + ": rank file '" + one.file + "': " + ranks.error().message, pointer);
    }
    out->entries_.push_back({one.models, chat::tokens::Bpe(vocabulary_of(one.encoding), std::move(*ranks))});
  }
  return std::shared_ptr<const Vocabularies>(std::move(out));
}

const chat::tokens::Bpe* Vocabularies::of(std::string_view model) const noexcept {
  for (const Entry& entry : entries_) {
    if (entry.models.empty()) {
      const chat::tokens::Tokenizer known = chat::tokens::tokenizer_of(model);
      if (known.fitted && known.vocabulary == entry.bpe.vocabulary()) return &entry.bpe;
    } else if (std::any_of(entry.models.begin(), entry.models.end(),
                           [model](const std::string& glob) { return base::glob_match(glob, model); })) {
      return &entry.bpe;
    }
  }
  return nullptr;
}

}  // namespace sluice::gateway
