"""Counts what ran: `tally.py RESULTS` reads the JUnit files ctest left in a folder, and ends with `N passed, N failed`.

A ctest entry that runs Catch2 counts as the test cases it ran, any other as one. Skips are named, and are failures where
SLUICE_REQUIRE_ALL=1. `tally.py --failures FILE` prints what the failed entries of one file said.
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ALL_PASSED = re.compile(r"All tests passed \(\d+ assertions? in (\d+) test cases?\)")
SOME_FAILED = re.compile(r"test cases:\s*(\d+)\s*\|(?:\s*(\d+) passed\s*\|)?\s*(\d+) failed")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def entries(path):
    """(name, state, output) of each ctest entry; state: run, fail or skip."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        output = ESCAPES.sub("", case.findtext("system-out") or "")
        state = case.get("status", "run")
        if case.find("failure") is not None or state == "fail":
            state = "fail"
        elif (skipped := case.find("skipped")) is not None or state != "run":
            # A test that said so itself; one whose program or fixture is missing has not been skipped, it is broken.
            state = "skip" if skipped is not None and "SKIP_RETURN_CODE" in skipped.get("message", "") else "fail"
        yield case.get("name"), state, output


def cases(state, output):
    """(passed, failed) of one entry."""
    if state == "run":
        return sum(int(m.group(1)) for m in ALL_PASSED.finditer(output)) or 1, 0
    found = SOME_FAILED.search(output)
    # A failed entry has failed at least once, whatever Catch2 counted: it may have crashed after its last case.
    return (int(found.group(2) or 0), int(found.group(3))) if found else (0, 1)


def print_failures(path):
    for name, state, output in entries(path):
        if state != "run":
            print(f"--- {name}: {'FAILED' if state == 'fail' else 'skipped'}")
            print("\n".join(output.splitlines()[-60:]))


def main():
    if sys.argv[1] == "--failures":
        return print_failures(sys.argv[2])
    results, strict = Path(sys.argv[1]), os.environ.get("SLUICE_REQUIRE_ALL") == "1"
    passed = failed = 0
    skipped, broken = [], []
    for path in sorted(results.glob("*.xml")):
        here = [0, 0]
        for name, state, output in entries(path):
            if state == "skip":
                skipped.append(f"{path.stem}: {name}")
                continue
            good, bad = cases(state, output)
            here[0] += good
            here[1] += bad
            if bad:
                broken.append(f"{path.stem}: {name}")
        print(f"{path.stem}: {here[0]} passed, {here[1]} failed.")
        passed += here[0]
        failed += here[1]
    if (results / "broken").exists():
        lines = (results / "broken").read_text().splitlines()
        broken += lines
        failed += len(lines)
    for name in skipped:
        print(f"skipped: {name}")
    if strict and skipped:
        print("SLUICE_REQUIRE_ALL=1: a skip is a failure")
        failed += len(skipped)
    for name in broken:
        print(f"failed: {name}")
    if passed + failed == 0:
        print("no test ran")
        failed = 1
    skips = "" if strict or not skipped else f", {len(skipped)} skipped"
    print(f"{passed} passed, {failed} failed{skips}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
