// A file of lines, on a disk that may be full, broken, gone, or back.

#include "telemetry/jsonl_file.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace sluice::telemetry {
namespace {

constexpr std::size_t kTail = 64 * 1024;  // how far back the beginning of a torn line is looked for
constexpr std::string_view kBeginning = R"({"schema":"sluice.event/)";

/// True for what one of our lines begins with, however short.
bool is_ours(std::string_view torn) noexcept {
  return kBeginning.starts_with(torn.substr(0, kBeginning.size()));
}

/// Line by line: lines are long, and memchr() looks at 32 bytes at once.
std::uint64_t lines_of(std::string_view text) noexcept {
  std::uint64_t n = 0;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) ++n;
  return n;
}

}  // namespace

void JsonlFile::set_bounds(std::uint64_t rotate_bytes, std::uint32_t keep) noexcept {
  settings_.rotate_bytes = rotate_bytes;
  settings_.keep = keep;
  rotate_at_ = rotate_bytes;
}

void JsonlFile::close() noexcept {
  if (file_.is_open()) disk_.close(file_);
}

void JsonlFile::refuse(int why, TimePoint now) {
  dead_ = why != EAGAIN && why != EWOULDBLOCK;
  const Duration pause = dead_ ? std::exchange(pause_, std::min(2 * pause_, kLongestPause)) : kFullPause;
  retry_at_ = now < TimePoint::max() - pause ? now + pause : TimePoint::max();
  if (!dead_) {
    error_ = fmt::format("'{}' is full: it is read too slowly", settings_.path);
    return;
  }
  close();
  const std::string words = std::generic_category().message(why);
  error_ = fmt::format("'{}' takes no lines: {}; it is tried again", settings_.path, words);
}

/// Cuts off a line that an earlier process left torn, so that ours does not end up behind it.
int JsonlFile::mend() {
  const std::string tail = disk_.tail(settings_.path, kTail);
  if (tail.empty() || tail.back() == '\n') return 0;
  const std::size_t line_break = tail.rfind('\n');
  const std::string_view torn = std::string_view(tail).substr(line_break == std::string::npos ? 0 : line_break + 1);
  if ((line_break != std::string::npos || tail.size() == size_) && is_ours(torn)) {
    size_ -= torn.size();
    return disk_.truncate(file_, size_);
  }
  // Somebody else's text is left as it is, on a line of its own.
  std::size_t written = 0;
  const int why = disk_.write(file_, "\n", written);
  size_ += written;
  return why;
}

int JsonlFile::open() {
  if (const int why = disk_.open(settings_.path, file_); why != 0) return why;
  size_ = file_.size;
  rotate_at_ = settings_.rotate_bytes;
  return file_.regular && size_ != 0 ? mend() : 0;
}

bool JsonlFile::ready(TimePoint now) {
  if (retry_at_ && now < *retry_at_) return false;
  // Somebody may have moved or removed the file, as tools that rotate logs do: then its path gets a new one.
  if (file_.is_open() && file_.regular && !disk_.names(settings_.path, file_)) close();
  if (file_.is_open()) return true;
  if (const int why = open(); why != 0) {
    refuse(why, now);
    return false;
  }
  return true;
}

std::string JsonlFile::rotated(std::uint32_t n) const {
  return n == 0 ? settings_.path : fmt::format("{}.{}", settings_.path, n);
}

int JsonlFile::rotate() {
  close();
  int why = 0;
  if (settings_.keep == 0) {
    why = disk_.remove(settings_.path);
  } else {
    for (std::uint32_t n = settings_.keep; n > 0 && why == 0; --n) {
      why = disk_.rename(rotated(n - 1), rotated(n));
      if (why == ENOENT) why = 0;  // the first rotations find nothing older
    }
  }
  if (why == 0) ++rotations_;
  return open();
}

std::string_view JsonlFile::fitting(std::string_view lines) const noexcept {
  if (!file_.regular || rotate_at_ == 0) return lines;
  const std::uint64_t room = rotate_at_ > size_ ? rotate_at_ - size_ : 0;
  if (lines.size() <= room) return lines;
  const std::size_t last = lines.substr(0, static_cast<std::size_t>(room)).rfind('\n');
  if (last != std::string_view::npos) return lines.substr(0, last + 1);
  // One line that fits nowhere gets a file of its own.
  return size_ == 0 ? lines.substr(0, lines.find('\n') + 1) : std::string_view{};
}

int JsonlFile::write_all(std::string_view bytes, std::size_t& written) {
  while (written < bytes.size()) {
    std::size_t n = 0;
    if (const int why = disk_.write(file_, bytes.substr(written), n); why != 0) return why;
    if (n == 0) return EIO;
    written += n;
  }
  return 0;
}

std::size_t JsonlFile::append(std::string_view lines, TimePoint now) {
  if (!ready(now)) return 0;
  std::size_t done = 0;
  while (done < lines.size()) {
    const std::string_view piece = fitting(lines.substr(done));
    if (piece.empty()) {
      if (const int why = rotate(); why != 0) {
        refuse(why, now);
        return done;
      }
      if (size_ != 0) {
        // The names could not be changed: this file goes on, and the next rotation waits for as many bytes again.
        const std::uint64_t line = lines.find('\n', done) + 1 - done;
        rotate_at_ = size_ + std::max(settings_.rotate_bytes, line);
      }
      continue;
    }
    std::size_t written = std::exchange(begun_, 0);
    const int why = write_all(piece, written);
    const std::string_view all = piece.substr(0, written);
    const std::size_t whole = all.rfind('\n') + 1;  // npos + 1 is 0
    written_ += lines_of(all.substr(0, whole));
    size_ += whole;
    done += whole;
    if (why == 0) continue;
    if (written != whole && file_.regular) {
      // Where even that is refused, the line is mended when the file is opened again.
      (void)disk_.truncate(file_, size_);
    }
    refuse(why, now);
    if (file_.is_open()) begun_ = written - whole;
    return done;
  }
  retry_at_.reset();
  pause_ = kFirstPause;
  dead_ = false;
  error_.clear();
  return done;
}

}  // namespace sluice::telemetry
