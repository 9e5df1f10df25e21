// See recordings.hpp.
#include "unit/sim/recordings.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "unit/sim/rig.hpp"

namespace sluice::sim {
namespace {

using json::Type;
using json::Value;

std::filesystem::path root() {
  const char* told = std::getenv("SLUICE_FIXTURES");
  return told != nullptr ? told : std::string(SLUICE_SOURCE_DIR) + "/../shared/fixtures";
}

std::string kind_of(const Value& object) {
  std::string scratch;
  for (Value member = object.first(); member; member = member.next()) {
    if (member.key(scratch) == "type" && member.is(Type::kString)) return "(" + std::string(member.text(scratch)) + ")";
  }
  return {};
}

std::string type_name(Type type) {
  switch (type) {
    case Type::kNull: return "null";
    case Type::kBool: return "a bool";
    case Type::kNumber: return "a number";
    case Type::kString: return "a string";
    case Type::kArray: return "an array";
    case Type::kObject: break;
  }
  return "an object";
}

}  // namespace

bool recordings_missing(const std::string& provider) {
  if (std::filesystem::is_directory(root() / provider)) return false;
  if (std::getenv("SLUICE_REQUIRE_ALL") != nullptr) FAIL("no recordings at " << root() / provider);
  WARN("skipped: no recordings at " << root() / provider);
  return true;
}

std::string recorded_file(const std::string& path) {
  std::ifstream file(root() / path, std::ios::binary);
  INFO(path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Recorded> recorded_in(const std::string& path) {
  const Parsed parsed(recorded_file(path));
  std::vector<Recorded> list;
  const Value exchanges = parsed.at("/exchanges");
  for (Value exchange = exchanges.first(); exchange; exchange = exchange.next()) {
    std::string scratch;
    Recorded one{std::filesystem::path(path).filename().string(), static_cast<int>(exchange.at("/response/status")->integer().value_or(0)),
                 std::string(exchange.at("/response/body")->text(scratch))};
    const auto encoding = exchange.at("/response/body_encoding");
    if (encoding && encoding->is(Type::kString) && encoding->equals("base64")) one.body = decoded_base64(one.body);
    list.push_back(std::move(one));
  }
  return list;
}

std::vector<Recorded> recorded_under(const std::string& directory, int status) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(root() / directory)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Recorded> list;
  for (const auto& file : files) {
    for (Recorded& one : recorded_in(directory + "/" + file.filename().string())) {
      if (status == 0 ? one.status >= 400 : one.status == status) list.push_back(std::move(one));
    }
  }
  return list;
}

void Shapes::learn(std::string_view text, const std::string& kind) {
  const auto document = json::Document::parse(Body::copy(text));
  if (!document) return;  // an answer that was cut, or never was JSON
  ++learned_;
  learn(document->root(), kind);
}

void Shapes::learn(const Value& value, std::string path) {
  if (value.is(Type::kArray)) {
    for (Value element = value.first(); element; element = element.next()) learn(element, path + "[]");
    return;
  }
  if (!value.is(Type::kObject)) return;
  path += kind_of(value);
  ++objects_[path].seen;
  for (Value member = value.first(); member; member = member.next()) {
    std::string scratch;
    const std::string name(member.key(scratch));
    Member& known = objects_[path].members[name];
    ++known.seen;
    known.types.insert(member.type());
    if (opaque_.count(name) == 0) learn(member, path + "/" + name);
  }
}

std::string Shapes::differences(std::string_view text, const std::string& kind) const {
  const Parsed parsed(text);
  std::string differences;
  compare(parsed.document->root(), kind, differences);
  return differences;
}

void Shapes::compare(const Value& value, std::string path, std::string& differences) const {
  if (value.is(Type::kArray)) {
    for (Value element = value.first(); element; element = element.next()) compare(element, path + "[]", differences);
    return;
  }
  if (!value.is(Type::kObject)) return;
  path += kind_of(value);
  const auto known = objects_.find(path);
  if (known == objects_.end()) {
    differences += "no object was ever recorded at '" + path + "'\n";
    return;
  }
  std::set<std::string> here;
  for (Value member = value.first(); member; member = member.next()) {
    std::string scratch;
    const std::string name(member.key(scratch));
    here.insert(name);
    const auto found = known->second.members.find(name);
    if (found == known->second.members.end()) {
      differences += path + "/" + name + " was never recorded\n";
      continue;
    }
    if (found->second.types.count(member.type()) == 0) differences += path + "/" + name + " was never " + type_name(member.type()) + "\n";
    if (opaque_.count(name) == 0) compare(member, path + "/" + name, differences);
  }
  for (const auto& [name, member] : known->second.members) {
    if (member.seen == known->second.seen && here.count(name) == 0) differences += path + "/" + name + " is always there\n";
  }
}

}  // namespace sluice::sim
