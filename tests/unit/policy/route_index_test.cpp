// Which routes could take a request.

#include "policy/route_index.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace sluice;
using namespace sluice::policy;

namespace {

std::vector<std::uint32_t> all(const RouteIndex& index, const Subject& subject) {
  std::vector<std::uint32_t> out;
  auto candidates = index.candidates(subject);
  while (const auto route = candidates.next()) out.push_back(*route);
  return out;
}

using Routes = std::vector<std::uint32_t>;

chat::RequestView asks(std::string_view model) {
  chat::RequestView view;
  view.model_present = true;
  view.model = model;
  return view;
}

}  // namespace

TEST_CASE("an index without routes has no candidates") {
  const RouteIndex index(std::vector<RouteKeys>{});
  CHECK(all(index, {.method = "GET", .path = "/"}).empty());
}

TEST_CASE("candidates agree in path and come in the order of the routes") {
  const std::vector<RouteKeys> keys = {{.path_prefix = "/v1"}, {.path = "/v1/a"}, {}, {.path_prefix = "/v1/a"}, {.path = "/v1/b"}, {.path_prefix = "/v1/a/b"}};
  const RouteIndex index(keys);
  CHECK(all(index, {.path = "/v1/a"}) == Routes{0, 1, 2, 3});
  CHECK(all(index, {.path = "/v1/a/b/c"}) == Routes{0, 2, 3, 5});
  CHECK(all(index, {.path = "/v1x"}) == Routes{2});
  CHECK(all(index, {.path = "/"}) == Routes{2});
  CHECK(all(index, {.path = ""}) == Routes{2});
}

TEST_CASE("a model is found by its name, by what a glob begins with, and by its absence") {
  const std::vector<RouteKeys> keys = {
      {.models = {"gpt-4o"}}, {.models = {"gpt-*", "o1"}}, {.models = {"*o"}}, {.models = {"claude"}, .absent_model = true}, {}};
  const RouteIndex index(keys);
  const auto with = [&](const chat::RequestView& view) { return all(index, {.path = "/", .view = &view}); };
  CHECK(with(asks("gpt-4o")) == Routes{0, 1, 2, 4});
  CHECK(with(asks("o1")) == Routes{1, 2, 4});
  CHECK(with(asks("gpt")) == Routes{2, 4});
  CHECK(with(chat::RequestView{}) == Routes{2, 3, 4});
  CHECK(all(index, {.path = "/"}) == Routes{2, 4});
}

TEST_CASE("a route filed under several keys is one candidate") {
  const std::vector<RouteKeys> keys = {{.hosts = {"a.com", "*.com"}, .models = {"m*", "model", "mod*"}}, {.headers = {{"x-team", "red"}}}};
  const RouteIndex index(keys);
  const chat::RequestView view = asks("model");
  const Headers headers = {{"X-Team", "red"}, {"x-team", "red"}, {"x-team", "blue"}};
  CHECK(all(index, {.host = "a.com", .path = "/", .headers = &headers, .view = &view}) == Routes{0, 1});
}

TEST_CASE("hosts, consumers and headers are parts of the key") {
  const std::vector<RouteKeys> keys = {{.hosts = {"a.example.com"}}, {.hosts = {"*.example.com"}}, {.hosts = {"::1"}}, {.consumers = {"app", "job"}}, {.headers = {{"X-Team", "red"}}}};
  const RouteIndex index(keys);
  CHECK(all(index, {.host = "a.example.com", .path = "/"}) == Routes{0, 1});
  CHECK(all(index, {.host = "b.example.com", .path = "/"}) == Routes{1});
  CHECK(all(index, {.host = "example.com", .path = "/"}).empty());
  CHECK(all(index, {.host = "[::1]", .path = "/"}) == Routes{2});
  CHECK(all(index, {.path = "/", .consumer = "job"}) == Routes{3});
  const Headers red = {{"x-team", "red"}}, blue = {{"x-team", "blue"}};
  CHECK(all(index, {.path = "/", .headers = &red}) == Routes{4});
  CHECK(all(index, {.path = "/", .headers = &blue}).empty());
}

TEST_CASE("a match with very many combinations is filed wider, never lost") {
  RouteKeys wide;
  for (int i = 0; i < 300; ++i) wide.models.push_back(fmt::format("m{}", i));
  wide.hosts = {"a.com", "b.com"};
  const RouteIndex index(std::vector<RouteKeys>{wide, {.path = "/x"}});
  const chat::RequestView view = asks("m7");
  CHECK(all(index, {.host = "b.com", .path = "/x", .view = &view}) == Routes{0, 1});
}

TEST_CASE("more lists than fit without heap are merged all the same") {
  std::vector<RouteKeys> keys;
  std::string path;
  for (int i = 0; i < 40; ++i) keys.push_back({.path_prefix = path += "/a"});
  keys.push_back({});
  const RouteIndex index(keys);
  CHECK(all(index, {.path = path}).size() == 41);
  CHECK(all(index, {.path = path + "/a/a"}).size() == 41);
}
