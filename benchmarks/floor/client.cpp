// The floor of a client: whole chat exchanges through libcurl multi and nothing else, CURLMs and epoll as bare as they
// go. What a gateway that moves bytes with libcurl transfers cannot get below.
//
//   bench_client --url URL --body FILE --in-flight N [--seconds S] [--warm-up S]
//
// Prints one line of JSON: CPU us of this process for a transfer, user and whole.

#include <curl/curl.h>
#include <sys/resource.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "curl_loop.hpp"

namespace {

struct Cpu {
  double user = 0, whole = 0;  // us
};

Cpu cpu_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); };
  return {us(usage.ru_utime), us(usage.ru_utime) + us(usage.ru_stime)};
}

std::size_t discard(char*, std::size_t size, std::size_t count, void* bytes) {
  *static_cast<std::size_t*>(bytes) += size * count;
  return size * count;
}

}  // namespace

int main(int argc, char** argv) {
  std::string url, body;
  long in_flight = 16;
  double seconds = 2, warm_up = 0.5;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--url") url = argv[i + 1];
    else if (name == "--in-flight") in_flight = std::atol(argv[i + 1]);
    else if (name == "--seconds") seconds = std::atof(argv[i + 1]);
    else if (name == "--warm-up") warm_up = std::atof(argv[i + 1]);
    else if (name == "--body") {
      std::ostringstream text;
      text << std::ifstream(argv[i + 1], std::ios::binary).rdbuf();
      body = text.str();
    }
  }
  if (url.empty() || body.empty()) {
    std::fprintf(stderr, "usage: bench_client --url URL --body FILE --in-flight N [--seconds S] [--warm-up S]\n");
    return 2;
  }

  floor_bench::CurlLoop loop(in_flight);
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Accept: application/json");
  headers = curl_slist_append(headers, "Expect:");
  std::size_t received = 0;
  const auto make = [&] {
    CURL* easy = loop.make_handle(url, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &discard);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &received);
    return easy;
  };
  std::uint64_t transfers = 0, errors = 0;
  loop.on_done = [&](CURL* easy, CURLcode result) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    ++transfers;
    if (result != CURLE_OK || status != 200) ++errors;
    if (errors < 100) loop.add(easy);
  };
  std::vector<CURL*> handles;
  for (long i = 0; i < in_flight; ++i) loop.add(handles.emplace_back(make()));

  const auto turn_for = [&](double time) {
    const std::int64_t until = rig::now_ns() + static_cast<std::int64_t>(time * 1e9);
    while (rig::now_ns() < until && errors < 100) loop.turn(100);
  };
  turn_for(warm_up);
  const std::uint64_t before = transfers;
  const Cpu cpu_before = cpu_now();
  turn_for(seconds);
  const Cpu cpu_after = cpu_now();
  const double counted = static_cast<double>(transfers - before);
  std::printf(R"({"transfers":%.0f,"errors":%llu,"user_us":%.2f,"cpu_us":%.2f})"
              "\n",
              counted, static_cast<unsigned long long>(errors), (cpu_after.user - cpu_before.user) / counted,
              (cpu_after.whole - cpu_before.whole) / counted);
  for (CURL* easy : handles) loop.destroy(easy);
  curl_slist_free_all(headers);
  return errors == 0 ? 0 : 1;
}
