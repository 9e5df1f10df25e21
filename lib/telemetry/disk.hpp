#pragma once
/// What a file of events asks of the system, as an interface: tests break it where a disk would. Knows file descriptors
/// and error numbers; must not know lines.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::telemetry {

/// A file that is open for appending.
struct DiskFile {
  int descriptor = -1;
  bool regular = false;              ///< a FIFO, a terminal or a device is not: it has no size, and no rotation
  std::uint64_t size = 0;            ///< when it was opened
  std::uint64_t device = 0, inode = 0;
  [[nodiscard]] bool is_open() const noexcept { return descriptor >= 0; }
};

/// Every function gives 0 or an errno. Thread: one at a time for each file.
class Disk {
 public:
  virtual ~Disk() = default;
  /// Opens for appending, makes the file (mode 0640) where there is none. Never waits for the reader of a FIFO: ENXIO.
  [[nodiscard]] virtual int open(const std::string& path, DiskFile& file) noexcept = 0;
  /// One write; `written` may be less than everything. Raises no signal.
  [[nodiscard]] virtual int write(const DiskFile& file, std::string_view bytes, std::size_t& written) noexcept = 0;
  [[nodiscard]] virtual int truncate(const DiskFile& file, std::uint64_t size) noexcept = 0;
  virtual void close(DiskFile& file) noexcept = 0;
  /// True where `path` still names this very file.
  [[nodiscard]] virtual bool names(const std::string& path, const DiskFile& file) noexcept = 0;
  /// The last bytes of the file, at most `bytes`; empty where it cannot be read.
  [[nodiscard]] virtual std::string tail(const std::string& path, std::size_t bytes) noexcept = 0;
  /// Takes the place of what is called `to`.
  [[nodiscard]] virtual int rename(const std::string& from, const std::string& to) noexcept = 0;
  [[nodiscard]] virtual int remove(const std::string& path) noexcept = 0;
};

/// The machine's. Lifetime: static, to the very end: a writer that hangs in it may outlive everything else.
[[nodiscard]] Disk& system_disk() noexcept;

}  // namespace sluice::telemetry
