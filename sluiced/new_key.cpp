#include "new_key.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "auth/api_key.hpp"
#include "json/writer.hpp"
#include "sluice/config.hpp"

namespace sluiced {

namespace {

/// What makes a key known for one: to people, and to whoever looks for keys where none belongs.
constexpr std::string_view kPrefix = "sk-sluice-";

std::string entry_of(const std::string& name, const std::string& sha256) {
  std::string out;
  sluice::json::Writer writer(out);
  writer.begin_object().field("name", name).key("keys").begin_array();
  writer.begin_object().field("sha256", sha256).end_object().end_array().end_object();
  return out;
}

}  // namespace

sluice::Result<NewKey> make_key(const std::string& name) {
  sluice::auth::Digest random{};  // as many bytes as the digest has
  for (std::size_t filled = 0; filled < random.size();) {
    const ssize_t n = ::getrandom(random.data() + filled, random.size() - filled, 0);
    if (n < 0 && errno != EINTR) return sluice::fail(sluice::Code::kSystem, std::string("getrandom: ") + std::strerror(errno));
    if (n > 0) filled += static_cast<std::size_t>(n);
  }
  NewKey made{.key = std::string(kPrefix) + sluice::auth::hex_text(random), .entry = {}};
  made.entry = entry_of(name, sluice::auth::hex_text(sluice::auth::sha256(made.key)));
  const std::vector<sluice::Problem> problems = sluice::validate_json(R"({"version":1,"consumers":[)" + made.entry + "]}");
  if (!problems.empty()) {
    return sluice::fail(sluice::Code::kInvalidConfiguration, "no consumer can be called '" + name + "': " + problems.front().message);
  }
  return made;
}

}  // namespace sluiced
