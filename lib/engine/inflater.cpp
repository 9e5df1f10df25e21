#include "engine/inflater.hpp"

// A pull chain: the last stage asks the one before it for input, the first one reads what was fed.

#include "sluice/headers.hpp"

namespace sluice::engine {

Result<std::unique_ptr<Inflater>> Inflater::create(std::string_view value) {
  std::vector<bool> gzip;
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    std::string_view coding = value.substr(0, comma);
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    while (!coding.empty() && (coding.front() == ' ' || coding.front() == '\t')) coding.remove_prefix(1);
    while (!coding.empty() && (coding.back() == ' ' || coding.back() == '\t')) coding.remove_suffix(1);
    if (coding.empty() || same_name(coding, "identity")) continue;
    if (same_name(coding, "gzip") || same_name(coding, "x-gzip")) {
      gzip.push_back(true);
    } else if (same_name(coding, "deflate")) {
      gzip.push_back(false);
    } else {
      return nullptr;
    }
    if (gzip.size() > kMaxCodings) return fail(Code::kUpstreamProtocolError, "the answer is encoded more than four times over");
  }
  if (gzip.empty()) return nullptr;
  std::unique_ptr<Inflater> inflater(new Inflater());
  for (auto coding = gzip.rbegin(); coding != gzip.rend(); ++coding) {
    if (Status added = inflater->add(*coding); !added) return tl::unexpected<Error>(std::move(added.error()));
  }
  return inflater;
}

Inflater::~Inflater() {
  for (const auto& stage : stages_) inflateEnd(&stage->stream);
}

Status Inflater::add(bool gzip) {
  auto stage = std::make_unique<Stage>();
  stage->gzip = gzip;
  if (inflateInit2(&stage->stream, gzip ? 15 + 16 : 15) != Z_OK) return fail(Code::kOutOfMemory, "no memory to decode an answer");
  stages_.push_back(std::move(stage));
  return {};
}

void Inflater::feed(std::string_view bytes) noexcept {
  z_stream& first = stages_.front()->stream;
  first.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib reads only
  first.avail_in = static_cast<uInt>(bytes.size());
}

std::string_view Inflater::unread() const noexcept {
  const z_stream& first = stages_.front()->stream;
  return {reinterpret_cast<const char*>(first.next_in), first.avail_in};
}

bool Inflater::complete() const noexcept {
  for (const auto& stage : stages_) {
    if (!stage->ended || stage->stream.avail_in != 0) return false;
  }
  return true;
}

Result<std::string_view> Inflater::next() { return pull(stages_.size() - 1); }

Result<std::string_view> Inflater::pull(std::size_t index) {
  Stage& stage = *stages_[index];
  z_stream& stream = stage.stream;
  for (;;) {
    if (stream.avail_in == 0 && !stage.full) {
      if (index == 0) return std::string_view{};
      const Result<std::string_view> input = pull(index - 1);
      if (!input || input->empty()) return input;
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input->data()));
      stream.avail_in = static_cast<uInt>(input->size());
    }
    if (stage.ended) {  // gzip members may follow each other (RFC 1952, 2.2)
      inflateReset(&stream);
      stage.ended = stage.started = false;
    }
    if (!stage.started) {
      // "deflate" is zlib's format, but some servers send it bare; zlib's first byte names method 8 and a window of at
      // most 32 KiB (RFC 1950, 2.2).
      if (!stage.gzip && ((*stream.next_in & 0x0f) != 8 || (*stream.next_in >> 4) > 7)) inflateReset2(&stream, -15);
      stage.started = true;
    }
    stream.next_out = stage.piece.data();
    stream.avail_out = static_cast<uInt>(stage.piece.size());
    const int rc = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = stage.piece.size() - stream.avail_out;
    stage.ended = rc == Z_STREAM_END;
    stage.full = stream.avail_out == 0 && !stage.ended;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
      return fail(rc == Z_MEM_ERROR ? Code::kOutOfMemory : Code::kUpstreamProtocolError, "the answer's content coding is corrupt");
    }
    if (made > 0) return std::string_view(reinterpret_cast<const char*>(stage.piece.data()), made);
  }
}

}  // namespace sluice::engine
