#pragma once
/// A disk in memory that breaks as it is told, and a directory on the real one. Thread: any.

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>

#include "telemetry/disk.hpp"

namespace sluice::tests {

class BrokenDisk final : public telemetry::Disk {
 public:
  static constexpr std::size_t kEndless = std::numeric_limits<std::size_t>::max();

  // Faults: an errno, or 0.
  int open_error = 0, write_error = 0, truncate_error = 0, rename_error = 0;
  std::size_t room = kEndless;   ///< bytes until ENOSPC, or EAGAIN where files are FIFOs
  std::size_t most = kEndless;   ///< bytes one write takes
  bool regular = true;
  bool readable = true;
  std::string broken = {};       ///< the one path that cannot be opened, beside open_error
  // What was asked of it.
  int opens = 0, writes = 0, truncates = 0;

  /// Breaks or mends it while others use it.
  template <typename Change>
  void change(const Change& what) {
    const std::lock_guard lock(mutex_);
    what();
  }
  /// From now on every write waits, until let_go().
  void hang() {
    const std::lock_guard lock(mutex_);
    hanging_ = true;
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    hanging_ = false;
    moved_.notify_all();
  }
  /// Waits until a write hangs.
  void wait_for_hanging() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [this] { return hung_ != 0; });
  }
  /// Waits until that many writes were asked for.
  void wait_for_writes(int n) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return writes >= n; });
  }

  [[nodiscard]] int asked_for_writes() const {
    const std::lock_guard lock(mutex_);
    return writes;
  }
  [[nodiscard]] std::string text(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(path);
    return found == files_.end() ? "(none)" : *found->second;
  }
  void put(const std::string& path, std::string text) {
    const std::lock_guard lock(mutex_);
    files_[path] = std::make_shared<std::string>(std::move(text));
  }
  void take_away(const std::string& path) {
    const std::lock_guard lock(mutex_);
    files_.erase(path);
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return files_.size();
  }

  int open(const std::string& path, telemetry::DiskFile& file) noexcept override {
    const std::lock_guard lock(mutex_);
    ++opens;
    if (open_error != 0 || path == broken) return open_error != 0 ? open_error : EIO;
    auto& found = files_[path];
    if (!found) found = std::make_shared<std::string>();
    open_[++last_] = found;
    const std::size_t size = regular ? found->size() : 0;
    file = {.descriptor = last_, .regular = regular, .size = size, .device = 1, .inode = inode(found)};
    return 0;
  }
  int write(const telemetry::DiskFile& file, std::string_view bytes, std::size_t& written) noexcept override {
    std::unique_lock lock(mutex_);
    ++writes;
    moved_.notify_all();
    if (hanging_) {
      ++hung_;
      moved_.notify_all();
      moved_.wait(lock, [this] { return !hanging_; });
    }
    if (write_error != 0) return write_error;
    const std::size_t n = std::min({bytes.size(), most, room});
    if (n == 0) return regular ? ENOSPC : EAGAIN;
    open_.at(file.descriptor)->append(bytes.substr(0, n));
    if (room != kEndless) room -= n;
    written = n;
    return 0;
  }
  int truncate(const telemetry::DiskFile& file, std::uint64_t size) noexcept override {
    const std::lock_guard lock(mutex_);
    ++truncates;
    if (truncate_error != 0) return truncate_error;
    open_.at(file.descriptor)->resize(size);
    return 0;
  }
  void close(telemetry::DiskFile& file) noexcept override {
    const std::lock_guard lock(mutex_);
    open_.erase(file.descriptor);
    file = {};
  }
  bool names(const std::string& path, const telemetry::DiskFile& file) noexcept override {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(path);
    return found != files_.end() && inode(found->second) == file.inode;
  }
  std::string tail(const std::string& path, std::size_t bytes) noexcept override {
    const std::lock_guard lock(mutex_);
    const std::string& all = *files_.at(path);
    return readable ? all.substr(all.size() - std::min(bytes, all.size())) : std::string();
  }
  int rename(const std::string& from, const std::string& to) noexcept override {
    const std::lock_guard lock(mutex_);
    if (rename_error != 0) return rename_error;
    const auto found = files_.find(from);
    if (found == files_.end()) return ENOENT;
    files_[to] = found->second;
    files_.erase(from);
    return 0;
  }
  int remove(const std::string& path) noexcept override {
    const std::lock_guard lock(mutex_);
    return files_.erase(path) != 0 ? 0 : ENOENT;
  }

 private:
  static std::uint64_t inode(const std::shared_ptr<std::string>& file) noexcept {
    return reinterpret_cast<std::uint64_t>(file.get());
  }

  mutable std::mutex mutex_;
  std::condition_variable moved_;
  bool hanging_ = false;
  int hung_ = 0;
  int last_ = 2;
  std::map<std::string, std::shared_ptr<std::string>> files_;
  std::map<int, std::shared_ptr<std::string>> open_;
};

/// A directory of its own on the real disk, gone with this object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-events-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory for files can be made");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream file(path_ + "/" + name, std::ios::binary);
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
  }

 private:
  std::string path_;
};

}  // namespace sluice::tests
