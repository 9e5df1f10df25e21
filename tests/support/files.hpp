#pragma once
/// Files of the source tree, for tests that hold them against what is generated.

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace sluice::tests {

/// The text of `path`, below the source tree. Throws where it cannot be read.
inline std::string source_file(const std::string& path) {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/" + path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) throw std::runtime_error(path + " cannot be read");
  return text.str();
}

}  // namespace sluice::tests
