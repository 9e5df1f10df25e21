// The judge of what is told of exchanges: files that would write over each other, settings that would have no effect, and
// events that could never be queued.

#include <fmt/format.h>

#include <charconv>

#include "gateway/config_judge.hpp"
#include "gateway/config_reader.hpp"

namespace sluice::gateway::config {

namespace {

/// True where `path` is a name that rotation gives to older parts of `file`.
bool is_rotated_name(const std::string& path, const EventFile& file) noexcept {
  if (file.rotate_bytes == 0 || path.size() <= file.path.size() + 1 || !path.starts_with(file.path)) return false;
  if (path[file.path.size()] != '.') return false;
  std::uint32_t number = 0;
  const char* const end = path.data() + path.size();
  const auto [stop, why] = std::from_chars(path.data() + file.path.size() + 1, end, number);
  return why == std::errc{} && stop == end && number >= 1 && number <= file.keep;
}

void judge_file(Findings& findings, std::size_t index) {
  const TelemetryOptions& telemetry = findings.config().telemetry;
  const EventFile& file = telemetry.files[index];
  const std::string here = at("telemetry/files", index);
  if (!file.path.empty() && file.path.back() == '/') {
    findings.add(below(here, "path"), shown(file.path) + " names a directory; name a file in it");
  }
  for (std::size_t i = 0; i < telemetry.files.size() && !file.path.empty(); ++i) {
    if (i < index && telemetry.files[i].path == file.path) {
      findings.add(below(here, "path"), fmt::format("events go to {} already, by {}; name each file once",
                                                    shown(file.path), at("telemetry/files", i)));
    } else if (i != index && is_rotated_name(file.path, telemetry.files[i])) {
      findings.add(below(here, "path"), fmt::format("{} is what the rotation of {} calls an older part",
                                                    shown(file.path), at("telemetry/files", i)));
    }
  }
  if (file.rotate_bytes == 0 && file.keep != EventFile{}.keep) {
    findings.add(below(here, "keep"), "has no effect: rotate_bytes is 0, so that no file is ever rotated");
  }
  // Six bytes for each byte of a text that is all control characters, and room for what is told beside the content.
  const std::uint64_t parts = std::uint64_t{telemetry.prompt} + telemetry.answer + telemetry.tool_calls;
  const std::uint64_t longest = parts * telemetry.content_bytes * 6 + 64 * 1024;
  if (file.queue_bytes < longest) {
    findings.add(below(here, "queue_bytes"),
                 fmt::format("{} is less than one event may take with the content that is asked for ({}): it could "
                             "never be queued; raise it, or lower content_bytes",
                             file.queue_bytes, longest));
  }
}

}  // namespace

void judge_telemetry(Findings& findings) {
  const TelemetryOptions& telemetry = findings.config().telemetry;
  for (std::size_t i = 0; i < telemetry.files.size(); ++i) judge_file(findings, i);
  const bool keeps_content = telemetry.prompt || telemetry.answer || telemetry.tool_calls;
  if (!keeps_content && telemetry.content_bytes != TelemetryOptions{}.content_bytes) {
    findings.add("/telemetry/content_bytes", "has no effect: neither prompt, answer nor tool_calls is asked for");
  }
}

}  // namespace sluice::gateway::config
