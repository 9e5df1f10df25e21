// docs/strictness.md is true: each row of its tables of requests and bodies is sent as it stands there, and answered as it says.

#include <algorithm>
#include <catch2/catch.hpp>
#include <charconv>
#include <fstream>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

struct Row {
  std::string where, sent;
  int answer = 0;
};

/// The cells of a table's row.
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> out;
  line = line.substr(2, line.size() - 4);
  for (;;) {
    const std::size_t end = std::min(line.find(" | "), line.size());
    out.emplace_back(line.substr(0, end));
    if (end == line.size()) return out;
    line.remove_prefix(end + 3);
  }
}

/// `\r \n \t \0 \xNN` as bytes; any other backslash, which JSON may need, as it stands.
std::string bytes_of(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char kind = text.size() > 1 && text[0] == '\\' ? text[1] : '.';
    if (kind == 'x' && text.size() >= 4) {
      unsigned value = 0;
      std::from_chars(text.data() + 2, text.data() + 4, value, 16);
      out.push_back(static_cast<char>(value));
      text.remove_prefix(4);
    } else if (kind == 'r' || kind == 'n' || kind == 't' || kind == '0') {
      out.push_back(kind == 'r' ? '\r' : kind == 'n' ? '\n' : kind == 't' ? '\t' : '\0');
      text.remove_prefix(2);
    } else {
      out.push_back(text.front());
      text.remove_prefix(1);
    }
  }
  return out;
}

/// Rows whose second cell is code and whose third is a status.
std::vector<Row> rows_of_the_page() {
  std::vector<Row> out;
  std::ifstream page(SLUICE_SOURCE_DIR "/docs/strictness.md");
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| ") || !line.ends_with(" |")) continue;
    const auto cells = cells_of(line);
    if (cells.size() != 4 || !cells[1].starts_with('`') || !cells[1].ends_with('`')) continue;
    out.push_back({cells[0], bytes_of(std::string_view(cells[1]).substr(1, cells[1].size() - 2)), std::stoi(cells[2])});
  }
  return out;
}

std::string request_of(const Row& row) {
  const std::string body = R"({"model":"m","messages":[]})";
  const auto names = [&row](std::string_view field) { return row.where == "field" && row.sent.starts_with(field); };
  std::string out = (row.where == "line" ? row.sent : "POST /v1/chat/completions HTTP/1.1") + "\r\n";
  if (!names("Host")) out += "Host: a\r\n";
  out += "Content-Type: application/json\r\n";
  if (row.where == "field") out += row.sent + "\r\n";
  if (row.where == "chunks") return out + "Transfer-Encoding: chunked\r\n\r\n" + row.sent;
  const std::string& content = row.where == "json" ? row.sent : body;
  if (!names("Content-Length") && !names("Transfer-Encoding")) out += "Content-Length: " + std::to_string(content.size()) + "\r\n";
  return out + "\r\n" + (names("Transfer-Encoding") ? "1b\r\n" + body + "\r\n0\r\n\r\n" : content);
}

}  // namespace

// SEC-01 SEC-02 SEC-03 SEC-04 SEC-05 SEC-06 SEC-07 SEC-27 SEC-29 SEC-30 SEC-40
TEST_CASE("every row of the page on what is refused is answered as it says") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a")), threads);
  const auto rows = rows_of_the_page();
  CHECK(rows.size() >= 70);
  std::size_t served = 0;
  for (const Row& row : rows) {
    CAPTURE(row.where, row.sent);
    RawClient client(live.port());
    client.send(request_of(row));
    const WireAnswer answer = client.answer();
    CHECK(answer.status == row.answer);
    CHECK(answer.complete);
    if (row.answer == 200) {
      CHECK(a->request_count() == ++served);
      continue;
    }
    CHECK_FALSE(error_code(answer.body).empty());
    if (row.where != "json") {
      CHECK(answer.field("connection") == "close");
      CHECK(client.closed());
    }
  }
  CHECK(a->request_count() == served);
  // What the refusals are measured against is good.
  CHECK(ask(live, request_of({"field", "X: a", 200})).status == 200);
  CHECK(ask(live, request_of({"chunks", "1b\r\n{\"model\":\"m\",\"messages\":[]}\r\n0\r\n\r\n", 200})).status == 200);
}
