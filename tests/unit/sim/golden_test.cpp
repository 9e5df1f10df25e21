// The bytes of seed 7, kept: a change of templates, tokens or chance shows here, on every machine.
// SLUICE_WRITE_GOLDEN=1 writes them anew.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "unit/sim/rig.hpp"
#include "unit/sim/tongues.hpp"

using namespace sluice;
using namespace sluice::sim;

namespace {

void compare(const std::string& name, const std::string& bytes) {
  const std::string path = std::string(SLUICE_SOURCE_DIR) + "/tests/golden/sim/" + name;
  if (std::getenv("SLUICE_WRITE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << bytes;
  std::ifstream file(path, std::ios::binary);
  INFO(path);
  REQUIRE(file);
  std::stringstream kept;
  kept << file.rdbuf();
  CHECK(kept.str() == bytes);
}

}  // namespace

TEST_CASE("the answers of seed 7 are those on file") {
  Rig rig(7);
  rig.script().generates(24);
  compare("chat.json", rig.run(Rig::chat())->body);
  compare("chat_stream.txt", rig.run(Rig::chat(true, R"(,"stream_options":{"include_usage":true})"))->body);
  compare("completion.json", rig.run(Rig::post("/v1/completions", R"({"model":"m","prompt":"p","n":2})"))->body);
  compare("completion_stream.txt", rig.run(Rig::post("/v1/completions", R"({"model":"m","prompt":"p","stream":true})"))->body);
  rig.script().calls({{"", "weather", R"({"city": "Oslo"})"}, {"", "time", R"({"zone": "CET"})"}});
  compare("tools.json", rig.run(Rig::chat())->body);
  compare("tools_stream.txt", rig.run(Rig::chat(true))->body);
  compare("embeddings.json", rig.run(Rig::post("/v1/embeddings", R"({"model":"e","input":["a","b"],"dimensions":4})"))->body);
  compare("embeddings_base64.json",
          rig.run(Rig::post("/v1/embeddings", R"({"model":"e","input":"a","dimensions":4,"encoding_format":"base64"})"))->body);
  compare("moderation.json", rig.run(Rig::post("/v1/moderations", R"({"input":"[hate]"})"))->body);
}

TEST_CASE("the answers of seed 7 in every dialect are those on file") {
  for (const Tongue& tongue : tongues()) {
    Rig rig(7);
    std::string name = tongue.name;
    for (char& c : name) c = c == ' ' || c == '-' ? '_' : c;
    const std::string kind = name == "bedrock" ? ".bin" : ".txt";
    rig.script().generates(6).cached(2);
    compare(name + ".json", rig.run(tongue.ask(false, 0))->body);
    compare(name + "_stream" + kind, rig.run(tongue.ask(true, 0))->body);
    rig.script().calls({{"", "weather", R"({"city": "Oslo"})"}, {"", "time", R"({"zone": "CET"})"}});
    compare(name + "_tools_stream" + kind, rig.run(tongue.ask(true, 0))->body);
  }
}
