// See voice.hpp.
#include "sim/voice.hpp"

#include <algorithm>

#include "sim/anthropic.hpp"
#include "sim/bedrock.hpp"
#include "sim/cohere.hpp"
#include "sim/gemini.hpp"
#include "sim/ollama.hpp"
#include "sim/openai.hpp"
#include "sim/openai_responses.hpp"

namespace sluice::sim {
namespace {

std::size_t after(std::string_view stream, std::size_t end, std::size_t mark) noexcept {
  return end == std::string_view::npos ? stream.size() : end + mark;
}

}  // namespace

const Voice& voice_of(std::string_view target) {
  const std::string_view path = path_of(target);
  if (is_anthropic(path)) return anthropic_voice();
  if (is_gemini(path)) return gemini_voice();
  if (is_openai_responses(path)) return openai_responses_voice();
  if (is_cohere(path)) return cohere_voice();
  if (is_ollama(path)) return ollama_voice();
  if (is_bedrock(path)) return bedrock_voice();
  return openai_voice();
}

std::size_t event_size(Framing framing, std::string_view stream) noexcept {
  switch (framing) {
    case Framing::kEventStream: {
      const std::size_t lf = stream.find("\n\n");
      const std::size_t crlf = stream.substr(0, lf).find("\r\n\r\n");
      return crlf != std::string_view::npos ? crlf + 4 : after(stream, lf, 2);
    }
    case Framing::kLines: return after(stream, stream.find('\n'), 1);
    case Framing::kArray: return stream.size();
    case Framing::kFrames: break;
  }
  if (stream.size() < 4) return stream.size();
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(stream[i]);
  return std::min(std::max<std::size_t>(size, 4), stream.size());
}

}  // namespace sluice::sim
