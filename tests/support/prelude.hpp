#pragma once
/// What nearly every test includes, compiled once for all of them. It only saves time: each test still includes what it uses.
/// Nothing of the project belongs here, so that changing a header of ours compiles those tests anew that include it.

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tl/expected.hpp>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
