// Data URLs.

#include "dialect/data_url.hpp"

namespace sluice::dialect {

bool read_data_url(const std::string& url, chat::Source& source) {
  constexpr std::string_view kScheme = "data:", kBase64 = ";base64,";
  if (!url.starts_with(kScheme)) return false;
  const std::size_t at = url.find(kBase64);
  if (at == std::string::npos || at > 256) return false;
  source.media_type = url.substr(kScheme.size(), at - kScheme.size());
  source.data = url.substr(at + kBase64.size());
  return true;
}

std::string data_url(const chat::Source& source, std::string_view fallback_type) {
  std::string url = "data:";
  url.append(source.media_type.empty() ? fallback_type : std::string_view(source.media_type));
  return url.append(";base64,").append(source.data);
}

}  // namespace sluice::dialect
