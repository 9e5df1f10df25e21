"""Compiles one file without its mistakes and with each of them: `compile_fail.py COMPILER INCLUDE FILE`.

A mistake is `#if MISTAKE == n  // what the compiler must say, as a regular expression` (or `#elif`), with n counting from 1.
The file as it is must compile, or nothing is known of the mistakes; and each must fail with the words it names, so that it
does not fail for a reason of its own.
"""

import os
import re
import subprocess
import sys
from pathlib import Path


def compile_with(compiler, include, file, mistake):
    command = [compiler, "-std=c++20", "-fsyntax-only", "-fdiagnostics-color=never", f"-I{include}", f"-DMISTAKE={mistake}", file]
    run = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"))
    return run.returncode, run.stderr


def main():
    compiler, include, file = sys.argv[1:]
    mistakes = re.findall(r"^#(?:el)?if MISTAKE == (\d+)  // (.+)$", Path(file).read_text(), re.M)
    if [int(number) for number, _ in mistakes] != list(range(1, len(mistakes) + 1)) or not mistakes:
        print(f"{file}: its mistakes are not numbered 1, 2, ...")
        return 1
    code, said = compile_with(compiler, include, file, 0)
    if code != 0:
        print(f"{file}: does not compile without a mistake:\n{said}")
        return 1
    wrong = 0
    for number, expected in mistakes:
        code, said = compile_with(compiler, include, file, number)
        if code == 0:
            print(f"{file}: mistake {number} compiles")
        elif not re.search(expected, said):
            print(f"{file}: mistake {number} fails for another reason than `{expected}`:\n{said}")
        else:
            continue
        wrong += 1
    print(f"{len(mistakes)} mistakes, {wrong} of them not refused as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
