// Formats of media, which Bedrock names by word where others have media types, and the names of documents.

#include <algorithm>
#include <array>

#include "dialect/bedrock_blocks.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

struct Format {
  std::string_view word, media_type;
};

constexpr std::array kImages{
    Format{"png", "image/png"}, Format{"jpeg", "image/jpeg"}, Format{"gif", "image/gif"}, Format{"webp", "image/webp"},
    Format{"jpeg", "image/jpg"},  // no registered type, but a common one
};

constexpr std::array kDocuments{
    Format{"pdf", "application/pdf"},
    Format{"csv", "text/csv"},
    Format{"doc", "application/msword"},
    Format{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    Format{"xls", "application/vnd.ms-excel"},
    Format{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    Format{"html", "text/html"},
    Format{"txt", "text/plain"},
    Format{"md", "text/markdown"},
};

/// Words of AudioFormat that are other dialects' words too.
constexpr std::array<std::string_view, 14> kAudio{"mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "m4a", "mpeg", "mpga", "pcm", "webm"};

template <std::size_t N>
std::string_view word_of(const std::array<Format, N>& formats, std::string_view media_type) noexcept {
  const std::string_view type = media_type.substr(0, media_type.find_first_of("; "));
  for (const Format& format : formats) {
    if (format.media_type == type) return format.word;
  }
  return {};
}

}  // namespace

std::string_view media_type_of(std::string_view format) noexcept {
  for (const Format& image : kImages) {
    if (image.word == format) return image.media_type;
  }
  for (const Format& document : kDocuments) {
    if (document.word == format) return document.media_type;
  }
  return {};
}

std::string_view image_format(const chat::Source& source) noexcept {
  if (!source.media_type.empty() && source.media_type != "image/*") return word_of(kImages, source.media_type);
  // Nobody said: the first bytes do.
  constexpr std::array kBeginnings{Format{"png", "iVBOR"}, Format{"jpeg", "/9j/"}, Format{"gif", "R0lG"}, Format{"webp", "UklGR"}};
  for (const Format& begins : kBeginnings) {
    if (source.data.starts_with(begins.media_type)) return begins.word;
  }
  return {};
}

std::string_view document_format(const chat::Document& document) noexcept {
  if (const std::string_view word = word_of(kDocuments, document.source.media_type); !word.empty()) return word;
  if (document.source.media_type.starts_with("text/")) return "txt";
  const std::string_view name = document.name;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return document.source.data.starts_with("JVBER") ? "pdf" : "";
  for (const Format& format : kDocuments) {
    if (name.substr(dot + 1) == format.word) return format.word;
  }
  return {};
}

std::string_view audio_format(const chat::Audio& audio) noexcept {
  std::string_view word = audio.format;
  if (word.empty() && audio.source.media_type.starts_with("audio/")) word = std::string_view(audio.source.media_type).substr(6);
  if (word == "pcm16") word = "pcm";
  if (word == "x-wav") word = "wav";
  const auto known = std::find(kAudio.begin(), kAudio.end(), word);
  return known == kAudio.end() ? std::string_view{} : *known;
}

std::string document_name(std::string_view name) {
  constexpr std::size_t kLongest = 200;
  std::string out;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const char kept = letter || std::string_view("-()[] ").find(c) != std::string_view::npos ? c : '-';
    if (kept == ' ' && (out.empty() || out.back() == ' ')) continue;
    if (out.size() < kLongest) out += kept;
  }
  return out.empty() ? "document" : out;
}

}  // namespace sluice::dialect::bedrock_parts
