// Which process this is.

#include "sluice/fork_mark.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

using sluice::ForkMark;

TEST_CASE("a mark knows the process that made it, its children and theirs") {
  const ForkMark mark;
  CHECK_FALSE(mark.in_child());
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const ForkMark own;
    bool good = mark.in_child() && !own.in_child();
    const pid_t grandchild = ::fork();
    if (grandchild == 0) ::_exit(mark.in_child() && own.in_child() ? 0 : 1);
    int status = -1;
    good = good && ::waitpid(grandchild, &status, 0) == grandchild && status == 0;
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK_FALSE(mark.in_child());
}
