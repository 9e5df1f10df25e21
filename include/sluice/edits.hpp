#pragma once
/// What is changed in a request or an answer on its way. Plain values.

#include <map>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] sluice {

struct HeaderEdits {
  std::map<std::string, std::string> set = {};
  std::map<std::string, std::string> add = {};
  std::vector<std::string> remove = {};
};

struct BodyEdits {
  std::map<std::string, std::string> set = {};  ///< JSON Pointer -> JSON text of the new value
  std::vector<std::string> remove = {};         ///< JSON Pointers
};

}  // namespace sluice
