#pragma once
/// A second opinion on requests, for tests alone: a recogniser of RFC 9112 with every lenience of it taken away. Shares no
/// line with the parser: it works on whole bytes, by splitting and comparing, and is slow.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::http::test {

struct StrictRequest {
  std::string method;
  std::string target;
  std::string body;
  bool whole = false;
};

/// What a very strict server would make of `bytes`: the requests up to the first offence or the end of the bytes.
class StrictServer {
 public:
  explicit StrictServer(std::string bytes) : rest_(std::move(bytes)) {
    while (!rest_.empty() && !refused && one()) {}
  }
  std::vector<StrictRequest> requests;
  bool refused = false;

 private:
  bool refuse() {
    refused = true;
    return false;
  }

  static std::string lowered(std::string text) {
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
  }

  static bool all_of(const std::string& text, const std::string& set) {
    return !text.empty() && text.find_first_not_of(set) == std::string::npos;
  }

  static const std::string& tchar() {
    static const std::string set = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return set;
  }

  // One CRLF line off the front; nothing where it is not there yet.
  std::optional<std::string> line() {
    const std::size_t end = rest_.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string out = rest_.substr(0, end);
    rest_.erase(0, end + 2);
    return out;
  }

  // Fields up to the empty line.
  std::optional<std::vector<std::pair<std::string, std::string>>> fields() {
    std::vector<std::pair<std::string, std::string>> out;
    while (true) {
      const std::optional<std::string> text = line();
      if (!text) return std::nullopt;
      if (text->empty()) return out;
      const std::size_t colon = text->find(':');
      if (colon == std::string::npos || !all_of(text->substr(0, colon), tchar())) return refuse(), std::nullopt;
      std::string value = text->substr(colon + 1);
      for (const char c : value)
        if ((static_cast<unsigned char>(c) < 32 && c != '\t') || c == 127) return refuse(), std::nullopt;
      while (!value.empty() && (value[0] == ' ' || value[0] == '\t')) value.erase(0, 1);
      out.emplace_back(lowered(text->substr(0, colon)), value);
    }
  }

  // Of a list; an empty one counts for nothing (RFC 9110, 5.6.1).
  static std::vector<std::string> elements(const std::string& list) {
    std::vector<std::string> out(1);
    for (const char c : list) {
      if (c == ',')
        out.emplace_back();
      else
        out.back() += c;
    }
    for (std::string& element : out) {
      element.erase(0, element.find_first_not_of(" \t"));
      element.erase(element.find_last_not_of(" \t") + 1);
    }
    return out;
  }

  bool one() {
    if (rest_.rfind("\r\n", 0) == 0) rest_.erase(0, 2);
    const std::optional<std::string> start = line();
    if (!start) return false;
    const std::size_t a = start->find(' ');
    const std::size_t b = a == std::string::npos ? a : start->find(' ', a + 1);
    if (b == std::string::npos || start->find(' ', b + 1) != std::string::npos) return refuse();
    StrictRequest request{start->substr(0, a), start->substr(a + 1, b - a - 1), {}, false};
    const std::string version = start->substr(b + 1);
    if (!all_of(request.method, tchar()) || (version != "HTTP/1.1" && version != "HTTP/1.0")) return refuse();
    static const std::set<std::string> refused_methods = {"CONNECT", "TRACE", "PRI"};
    if (refused_methods.count(request.method) != 0) return refuse();
    if (request.target[0] != '/') return refuse();
    for (const char c : request.target)
      if (c < 33 || c > 126 || c == '#') return refuse();

    const auto head = fields();
    if (!head) return false;
    std::vector<std::string> lengths, codings, hosts;
    std::set<std::string> connection;
    for (const auto& [name, value] : *head) {
      if (name == "content-length") lengths.push_back(value);
      if (name == "transfer-encoding") codings.push_back(lowered(value));
      // Blanks behind a host are plain RFC 9110; behind what frames the body they are an offence.
      if (name == "host") hosts.push_back(value.substr(0, value.find_last_not_of(" \t") + 1));
      if (name == "upgrade") return refuse();
      if (name == "connection")
        for (const std::string& option : elements(lowered(value))) connection.insert(option);
    }
    const bool close = connection.count("close") != 0 || (version == "HTTP/1.0" && connection.count("keep-alive") == 0);
    if (hosts.size() > 1 || (hosts.empty() && version == "HTTP/1.1")) return refuse();
    if (!hosts.empty() && (hosts[0].empty() || hosts[0].find_first_of(" \t/@,;?#\\\"") != std::string::npos))
      return refuse();
    if (lengths.size() + codings.size() > 1) return refuse();
    std::uint64_t length = 0;
    if (!lengths.empty()) {
      if (!all_of(lengths[0], "0123456789") || lengths[0].size() > 18) return refuse();
      length = std::stoull(lengths[0]);
    }
    if (!codings.empty() && (codings[0] != "chunked" || version != "HTTP/1.1")) return refuse();

    requests.push_back(request);
    StrictRequest& open = requests.back();
    if (codings.empty()) {
      open.body = rest_.substr(0, length);
      rest_.erase(0, length);
      open.whole = open.body.size() == length;
    } else if (!chunks(open)) {
      return false;
    }
    return open.whole && !close;
  }

  bool chunks(StrictRequest& open) {
    while (true) {
      const std::optional<std::string> text = line();
      if (!text) return false;
      const std::size_t semicolon = text->find(';');
      const std::string digits = text->substr(0, semicolon);
      if (!all_of(digits, "0123456789abcdefABCDEF") || digits.size() > 16) return refuse();
      // Extensions: plain tokens alone are strict enough for what the mutations write.
      if (semicolon != std::string::npos && (text->back() == '=' || text->back() == ';' ||
                                             text->find_first_not_of(tchar() + ";=\"", semicolon) != std::string::npos))
        return refuse();
      const std::uint64_t size = std::stoull(digits, nullptr, 16);
      if (size == 0) break;
      open.body += rest_.substr(0, size);
      if (rest_.size() < size) return rest_.clear(), false;
      rest_.erase(0, size);
      if (rest_.size() < 2) return std::string("\r\n").rfind(rest_, 0) != 0 ? refuse() : false;
      if (rest_.rfind("\r\n", 0) != 0) return refuse();
      rest_.erase(0, 2);
    }
    const auto trailers = fields();
    open.whole = trailers.has_value();
    return open.whole;
  }

  std::string rest_;
};

}  // namespace sluice::http::test
