// Text in, objects out, and back. Every mistake of a document is gathered before anything is said.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <new>
#include <sstream>

#include "base/utf8.hpp"
#include "gateway/config_judge.hpp"
#include "gateway/config_table.hpp"
#include "json/document.hpp"

namespace sluice {

namespace gateway::config {

namespace {

constexpr json::Limits kLimits{.depth = 64, .values = 50'000'000};
constexpr std::size_t kShownLine = 100;  // bytes of a line with a syntax error, around the place

/// The place of `offset`, for people: `line 3, column 14: ...`, the line, and a caret below it.
std::string syntax_error(std::string_view text, std::size_t offset, std::string_view what) {
  offset = std::min(offset, text.size());
  // A mistake behind blanks is shown at what stands there.
  if (const std::size_t seen = text.find_first_not_of(" \t\r\n", offset); seen != std::string_view::npos) offset = seen;
  // A mistake at the end of the text is shown behind its last visible byte.
  while (offset == text.size() && offset > 0 && (text[offset - 1] == '\n' || text[offset - 1] == '\r'))
    text.remove_suffix(1), --offset;
  const std::size_t begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;  // npos + 1 is 0
  const std::size_t end = std::min(text.find('\n', offset), text.size());
  const auto characters = [](std::string_view part) {
    return static_cast<std::size_t>(
        std::count_if(part.begin(), part.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  };
  std::size_t from = offset - begin > kShownLine / 2 ? offset - kShownLine / 2 : begin;
  while (from < offset && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80) ++from;
  std::string line(base::truncate_utf8(text.substr(from, end - from), kShownLine));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return fmt::format("line {}, column {}: {}\n  {}\n  {:>{}}",
                     std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begin), '\n') + 1,
                     characters(text.substr(begin, offset - begin)) + 1, what, line, '^',
                     characters(text.substr(from, offset - from)) + 1);
}

/// The longest beginning of `pointer` that leads to a value of the document, and where that stands. Of a key that
/// stands twice, the first.
std::pair<std::string, std::size_t> nearest_place(json::Value value, std::string_view pointer) {
  std::size_t done = 0;
  std::string scratch, step;
  while (done < pointer.size()) {
    const std::size_t end = std::min(pointer.find('/', done + 1), pointer.size());
    json::Value child;
    if (value.is(json::Type::kObject) || value.is(json::Type::kArray)) child = value.first();
    for (std::size_t index = 0; child; child = child.next(), ++index) {
      step.clear();
      append_step(step, value.is(json::Type::kObject) ? std::string(child.key(scratch)) : std::to_string(index));
      if (step == pointer.substr(done, end - done)) break;
    }
    if (!child) break;
    value = child;
    done = end;
  }
  return {std::string(pointer.substr(0, done)), value.offset()};
}

/// True where `problem` is only said because of what `cause` says: `needs "url"` beside `unknown key "ulr", did you mean
/// "url"?`, or beside a "url" that is no text, is one mistake, not two.
bool is_echo(const Problem& problem, const Problem& cause) {
  constexpr std::string_view kNeeds = "needs \"";
  if (!problem.message.starts_with(kNeeds)) return false;
  const std::string key =
      problem.message.substr(kNeeds.size(), problem.message.find('"', kNeeds.size()) - kNeeds.size());
  if (!cause.pointer.starts_with(problem.pointer + "/")) return false;
  return cause.pointer == problem.pointer + "/" + key || cause.message.ends_with("did you mean \"" + key + "\"?");
}

/// In the order of the document, each at a place that is there, echoes left out.
std::vector<Problem> tidied(json::Value root, std::vector<Problem> problems) {
  struct Placed {
    std::size_t offset;
    Problem problem;
  };
  std::vector<Placed> placed;
  for (const Problem& one : problems) {
    if (std::any_of(problems.begin(), problems.end(), [&](const Problem& cause) { return is_echo(one, cause); }))
      continue;
    auto [pointer, offset] = nearest_place(root, one.pointer);
    // What belongs to a key that is not there is a consequence of what was said about its object.
    const auto same_place = [&pointer = pointer](const Problem& other) { return other.pointer == pointer; };
    if (pointer != one.pointer && std::any_of(problems.begin(), problems.end(), same_place)) continue;
    placed.push_back({offset, {std::move(pointer), one.message}});
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) { return a.offset < b.offset; });
  std::vector<Problem> out;
  for (Placed& one : placed) out.push_back(std::move(one.problem));
  return out;
}

/// A JSON error as a place: `the text is not JSON: WHAT at byte 123` without what a line and a column say better.
std::string syntax_error(std::string_view text, std::string_view message) {
  constexpr std::string_view kMark = " at byte ", kLead = "the text is not JSON: ";
  std::size_t offset = 0;
  std::string what(message);
  if (const std::size_t mark = what.rfind(kMark); mark != std::string::npos) {
    std::size_t end = mark + kMark.size();
    for (; end < what.size() && what[end] >= '0' && what[end] <= '9'; ++end)
      offset = offset * 10 + static_cast<std::size_t>(what[end] - '0');
    what.erase(mark, end - mark);
  }
  if (what.starts_with(kLead)) what.erase(0, kLead.size());
  return syntax_error(text, offset, what);
}

/// Reads and judges: the configuration, and everything that is wrong with it.
Config understood(json::Value root, Source source, const Config* objects, std::vector<Problem>& problems) {
  find_duplicate_keys(root, problems);
  Config config = read(root, source, problems);
  // Where a route could not be read, it may seem to take everything: then nothing is said about shadows.
  const bool whole = std::none_of(problems.begin(), problems.end(),
                                  [](const Problem& one) { return one.pointer.starts_with("/routes"); });
  judge(objects != nullptr ? *objects : config, whole, problems);
  problems = tidied(root, std::move(problems));
  return config;
}

Result<Config> parse_document(std::string_view text, std::vector<Problem>& problems) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // editors put it there
  const auto document = json::Document::parse(Body::copy(text), kLimits);
  if (!document) {
    problems = {{"", syntax_error(text, document.error().message)}};
    return fail(Code::kInvalidConfiguration, problems.front().message);
  }
  Config config = understood(document->root(), Source::kFile, nullptr, problems);
  if (problems.empty()) return config;
  return fail(Code::kInvalidConfiguration, to_string(problems), problems.front().pointer);
}

}  // namespace

std::vector<Problem> structure_of(std::string_view text) {
  std::vector<Problem> problems;
  const auto document = json::Document::parse(Body::copy(text), kLimits);
  if (!document) return {{"", document.error().message}};
  find_duplicate_keys(document->root(), problems);
  (void)read(document->root(), Source::kFile, problems);
  return problems;
}

}  // namespace gateway::config

Result<Config> Config::parse(std::string_view json) {
  try {
    std::vector<Problem> problems;
    return gateway::config::parse_document(json, problems);
  } catch (const std::bad_alloc&) {
    return fail(Code::kOutOfMemory, "the configuration does not fit the memory that is left");
  }
}

Result<Config> Config::load(const std::string& path) {
  try {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (!file || !(text << file.rdbuf())) {
      std::error_code why(errno, std::generic_category());
      return fail(Code::kFileUnreadable,
                  fmt::format("configuration '{}' cannot be read: {}", path, why ? why.message() : "it is empty"));
    }
    auto config = parse(text.view());
    if (!config)
      config.error().message = fmt::format("configuration '{}' is not valid:\n{}", path, config.error().message);
    return config;
  } catch (const std::bad_alloc&) {
    return fail(Code::kOutOfMemory, "the configuration does not fit the memory that is left");
  }
}

std::string Config::dump() const { return gateway::config::laid_out(gateway::config::written(*this)) + "\n"; }

std::vector<Problem> validate(const Config& config) {
  namespace cfg = gateway::config;
  // Objects are judged as the document they stand for: the same ranges, names and forms hold for both.
  const auto document = json::Document::parse(Body::from(cfg::written(config)), cfg::kLimits);
  if (!document) return {{"", document.error().message}};
  std::vector<Problem> problems;
  (void)cfg::understood(document->root(), cfg::Source::kProgram, &config, problems);
  return problems;
}

std::vector<Problem> validate_json(std::string_view json) {
  std::vector<Problem> problems;
  (void)gateway::config::parse_document(json, problems);
  return problems;
}

std::string to_string(const std::vector<Problem>& problems) {
  constexpr std::size_t kShown = 100;
  std::string out;
  for (std::size_t i = 0; i < std::min(problems.size(), kShown); ++i) {
    if (i > 0) out += '\n';
    if (!problems[i].pointer.empty() || !problems[i].message.starts_with("line ")) {
      fmt::format_to(std::back_inserter(out), "{}: ", problems[i].pointer.empty() ? "(document)" : problems[i].pointer);
    }
    out += problems[i].message;
  }
  if (problems.size() > kShown) fmt::format_to(std::back_inserter(out), "\nand {} more", problems.size() - kShown);
  return out;
}

}  // namespace sluice
