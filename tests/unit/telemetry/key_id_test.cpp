// What stands for a key. TELE-03

#include "telemetry/key_id.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <thread>
#include <vector>

using sluice::telemetry::key_id;

// TELE-03
TEST_CASE("a key's id is the beginning of its HMAC-SHA256 under the salt") {
  // Source: RFC 4231, test cases 1, 2, 3 and 6 (what RFC calls the key is the salt here, and its data the key).
  CHECK(key_id("Hi There", std::string(20, '\x0b')) == "b0344c61");
  CHECK(key_id("what do ya want for nothing?", "Jefe") == "5bdcc146");
  CHECK(key_id(std::string(50, '\xdd'), std::string(20, '\xaa')) == "773ea91e");
  CHECK(key_id("Test Using Larger Than Block-Size Key - Hash Key First", std::string(131, '\xaa')) == "60e43159");
}

TEST_CASE("one key has another id under every salt, and every key its own under one") {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    ids.insert(key_id("sk-1", "salt " + n));
    ids.insert(key_id("sk-" + n, "the salt"));
  }
  CHECK(ids.size() == 200);
  CHECK(key_id("sk-1", "the salt") == key_id("sk-1", "the salt"));
}

TEST_CASE("an empty key and an empty salt have ids, too") {
  // Source: HMAC-SHA256 of nothing under nothing.
  CHECK(key_id("", "") == "b613679a");
  CHECK(key_id({}, {}) == "b613679a");
  CHECK(key_id("", "").size() == 8);
}

TEST_CASE("threads do not mix their keys up") {
  std::vector<std::string> found(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < found.size(); ++i) {
    threads.emplace_back([&found, i] {
      for (int round = 0; round < 500; ++round) found[i] = key_id("key " + std::to_string(i), "salt " + std::to_string(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == key_id("key " + std::to_string(i), "salt " + std::to_string(i)));
  }
}
