// The same bytes to sluice, nginx and HAProxy: what both of them refuse, sluice does not take, and what it takes it reads as
// one of them does (SEC-08). What sluice alone refuses is listed by its own reason, and every reason stands on the page that
// says so, docs/strictness.md. Both are started here, in front of a server that answers with what it has read.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "integration/reference_proxies.hpp"
#include "integration/rig.hpp"
#include "integration/smuggling_cases.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::string_literals;

namespace {

const std::string kMark = "took:";
const std::string kSentinel = "GET /sentinel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// What a server made of some bytes.
struct Reading {
  std::vector<std::string> taken;  ///< of each request: method, end of the path, body, as what stands behind it saw them
  int refusal = 0;                 ///< the first status that is no 200; 0 = none was told
  std::string why;                 ///< where the refusal is sluice's, its message
};

/// The value of `"message"` in an error body, with what varies left out: names in quotes, numbers.
std::string reason_in(const std::string& body) {
  const std::string key = R"("message":")";
  std::size_t at = body.find(key);
  if (at == std::string::npos) return {};
  std::string out;
  for (at += key.size(); at < body.size() && body[at] != '"'; ++at) out += body[at] == '\\' ? body[++at] : body[at];
  const std::size_t name = out.find("header '");
  if (name != std::string::npos) out.replace(name + 8, out.find('\'', name + 8) - name - 8, "...");
  return out;
}

/// Many offers at once to one server, so that those it waits to hear more of are waited for together. Behind each comes one
/// good request that ends the connection and is not counted: who has understood the bytes answers it and closes; any other
/// refuses, or has enough of waiting.
class Offers {
 public:
  Offers(std::uint16_t port, const SmugglingCase* cases, std::size_t count) {
    clients_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      clients_.emplace_back(port);
      (void)clients_.back().try_send(cases[i].bytes + kSentinel);
    }
  }
  [[nodiscard]] std::vector<Reading> readings() {
    std::vector<Reading> out;
    for (RawClient& client : clients_) out.push_back(reading(client));
    return out;
  }

 private:
  static Reading reading(RawClient& client) {
    Reading out;
    for (;;) {
      const WireAnswer answer = client.answer();
      if (answer.status == 200 && answer.body.starts_with(kMark)) out.taken.push_back(answer.body.substr(kMark.size()));
      if (answer.status != 0 && answer.status != 200 && out.refusal == 0) {
        out.refusal = answer.status;
        out.why = reason_in(answer.body);
      }
      if (answer.status == 0 || !answer.complete) return out;
    }
  }
  std::vector<RawClient> clients_;
};

Reading one_reading(std::uint16_t port, const SmugglingCase& offered) { return Offers(port, &offered, 1).readings().front(); }

/// Whether all that the one has taken the other has taken, too, in its order: who refuses one of several has still read nothing
/// that the other has not.
bool reads_as(const Reading& one, const Reading& other) {
  auto at = other.taken.begin();
  for (const std::string& request : one.taken) {
    at = std::find(at, other.taken.end(), request);
    if (at == other.taken.end()) return false;
    ++at;
  }
  return true;
}

/// The page on what is refused.
std::string strictness_page() {
  std::ostringstream text;
  text << std::ifstream(SLUICE_SOURCE_DIR "/docs/strictness.md").rdbuf();
  return text.str();
}

/// Ends this program as skipped (CMake's SKIP_RETURN_CODE). Where everything is required, that is a failure.
[[noreturn]] void skip(const std::string& why) {
  const char* all = std::getenv("SLUICE_REQUIRE_ALL");
  if (all != nullptr && std::string_view(all) == "1") FAIL("required, but skipped: " << why);
  std::printf("skipped: %s\n", why.c_str());
  std::fflush(stdout);
  std::_Exit(77);
}

}  // namespace

TEST_CASE("what nginx and HAProxy both refuse, sluice does not take, and what it takes it reads as one of them") {  // SEC-08
  const std::string nginx_program = find_program("nginx"), haproxy_program = find_program("haproxy");
  if (nginx_program.empty()) skip("nginx is not installed (Debian package nginx-light)");
  if (haproxy_program.empty()) skip("haproxy is not installed (Debian package haproxy)");

  Backend a("a"), behind_nginx("n"), behind_haproxy("h");
  for (Backend* backend : {&a, &behind_nginx, &behind_haproxy}) {
    (*backend)->on_request([](const RawRequest& request) {
      const std::string end = request.target.substr(request.target.rfind('/') + 1);
      return Reply::ok(end == "sentinel" ? "" : kMark + request.method + " " + end + " " + request.body);
    });
  }
  const Scratch scratch;
  const auto nginx = ReferenceProxy::nginx(nginx_program, scratch, behind_nginx->authority());
  const auto haproxy = ReferenceProxy::haproxy(haproxy_program, scratch, behind_haproxy->authority());
  // A sanitized build is slow, and must not be taken for impatient.
  const std::string patience = std::to_string(ReferenceProxy::kPatienceMs * (kSlowdown > 1 ? 5 : 1));
  Live live(document(a.entry(), route_to("a", R"(,"operation":"opaque")"),  // framing is judged, contents are not
                     R"(,"gateway":{"listen":[{"address":"127.0.0.1:0","header_timeout_ms":)" + patience + R"(,"body_timeout_ms":)" + patience +
                         R"(,"idle_timeout_ms":)" + patience + "}]}"));

  const std::vector<SmugglingCase> cases = smuggling_cases(2616, 3000);
  std::size_t all_take = 0, we_take = 0, we_alone_refuse = 0, both_refuse = 0;
  std::map<std::string, std::pair<std::size_t, const SmugglingCase*>> stricter;  // why -> how often, and one of them
  constexpr std::size_t kAtOnce = 150;
  for (std::size_t from = 0; from < cases.size(); from += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, cases.size() - from);
    Offers to_us(live.port(), &cases[from], count), to_nginx(nginx.port(), &cases[from], count), to_haproxy(haproxy.port(), &cases[from], count);
    const auto ours = to_us.readings(), by_nginx = to_nginx.readings(), by_haproxy = to_haproxy.readings();
    for (std::size_t i = 0; i < count; ++i) {
      const SmugglingCase& offered = cases[from + i];
      CAPTURE(from + i, offered.twists, offered.bytes);
      Reading we = ours[i], n = by_nginx[i], h = by_haproxy[i];
      if (!reads_as(we, n) && !reads_as(we, h)) {
        // A busy machine may have cost one of them its patience: asked again, each alone.
        we = one_reading(live.port(), offered), n = one_reading(nginx.port(), offered), h = one_reading(haproxy.port(), offered);
      }
      const bool refused_by_both = n.taken.empty() && h.taken.empty();
      both_refuse += refused_by_both;
      const bool waited_in_vain = we.refusal == 0 || we.refusal == 408;  // a matter of time, not of what was sent
      if (n.taken == h.taken && reads_as(we, n) && we.taken.size() < n.taken.size() && !waited_in_vain) {
        ++we_alone_refuse;
        auto& [often, example] = stricter[std::to_string(we.refusal) + " " + we.why];
        if (often++ == 0) example = &offered;
      }
      if (we.taken.empty()) continue;
      ++we_take;
      all_take += !n.taken.empty() && !h.taken.empty();
      CHECK_FALSE(refused_by_both);
      CAPTURE(we.taken, n.taken, h.taken);
      CHECK((reads_as(we, n) || reads_as(we, h)));
    }
  }
  std::ostringstream list;
  const std::string page = strictness_page();
  for (const auto& [why, seen] : stricter) {
    list << "\n  " << seen.first << " x " << why << " [" << seen.second->twists << "]";
    CAPTURE(why, seen.second->twists, seen.second->bytes);
    // Stricter than both is what this listener promises to be, for reasons a reader can look up.
    CHECK(page.find(why.substr(4)) != std::string::npos);
  }
  WARN(cases.size() << " cases of " << smuggling_rules() << " rules: sluice takes " << we_take << ", all three take " << all_take << ", both others refuse "
             << both_refuse << ", sluice alone refuses " << we_alone_refuse << ":" << list.str());
  // None of the three counts is empty talk.
  CHECK(we_take >= 300);
  CHECK(all_take >= 200);
  CHECK(both_refuse >= 500);
}
