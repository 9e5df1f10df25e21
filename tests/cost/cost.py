"""Counts the instructions of what must stay cheap and compares them with the committed baseline: a count that has grown by
more than a tenth fails. Counts are valgrind's (callgrind), which no other load on the machine changes.

  cost.py --programs DIR --baseline FILE           compares, and prints a table
  cost.py --programs DIR --baseline FILE --write   writes the baseline anew

It must not know what a program does: each takes a kind and a count, and runs it that often.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

# name -> program, its arguments before the count, and a small and a large count. What is counted once is in both.
ROWS = {
    "exchange": ("exchange_bench", ["exchange"], 200, 1200),
    "exchange with limits, log and event": ("exchange_bench", ["exchange_all"], 200, 1200),
    "delta nobody wants": ("exchange_bench", ["delta"], 1000, 6000),
    "delta of a stream with an event": ("exchange_bench", ["delta_all"], 1000, 6000),
    "delta a plugin searches": ("exchange_bench", ["delta_decoded"], 1000, 6000),
    "chain of ten that want nothing": ("chain_bench", ["exchange_idle", "10"], 1000, 21000),
    "event line": ("event_bench", [], 500, 5500),
}
MOST = 1.10


def count(program, arguments, times):
    with tempfile.TemporaryDirectory() as scratch:
        ran = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={scratch}/out", program, *arguments, str(times)],
            capture_output=True, text=True, check=False)
    said = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or not said:
        sys.exit(f"{program} {arguments} {times}: exit {ran.returncode}\n{ran.stdout}{ran.stderr[-2000:]}")
    return int(said.group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--baseline", required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    now = {}
    for name, (program, arguments, few, many) in ROWS.items():
        path = os.path.join(options.programs, program)
        now[name] = round((count(path, arguments, many) - count(path, arguments, few)) / (many - few))
    if options.write:
        with open(options.baseline, "w", encoding="utf-8") as out:
            json.dump(now, out, indent=2)
            out.write("\n")
        return 0
    with open(options.baseline, encoding="utf-8") as file:
        before = json.load(file)
    grown = []
    for name, instructions in now.items():
        ratio = instructions / before[name] if before.get(name) else float("inf")
        print(f"{name:40} {instructions:8} instructions, {before.get(name, 'none')} in the baseline, {ratio:.3f}")
        if ratio > MOST:
            grown.append(name)
    if sorted(before) != sorted(now):
        print("the baseline has other rows; write it anew with --write")
        return 1
    if grown:
        print(f"FAILED: costs more than a tenth more than in {os.path.basename(options.baseline)}: {', '.join(grown)}. Find what made it "
              "dearer; where that is worth it, write the baseline anew with --write and say why in the commit.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
