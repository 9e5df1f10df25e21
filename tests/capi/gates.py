"""The gates of the C ABI: `gates.py headers|exports|abi ROOT LIBRARY BUILD CC CXX`, and `gates.py write ROOT LIBRARY ...` to put
today's ABI down as the baseline, after a change that was meant.

Each gate is first shown something broken, and fails where it lets that pass: a gate that never closed is not known to be one.
Prints what is wrong and exits 1; 77 where a tool it needs is not on this machine.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Wshadow", "-Werror", "-fsyntax-only"]


def run(command, **how):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **how)


def headers_of(include):
    return sorted(path.relative_to(include).as_posix() for path in include.rglob("*.h"))


# --- headers: each alone, as C99 and as C++ ----------------------------------------------------------------------------

def compile_alone(include, header, compiler, flags):
    text = f'#include "{header}"\n#include "{header}"\ntypedef int nothing_else;\n'
    said = run([compiler, *flags, *STRICT, f"-I{include}", "-"], input=text)
    return [f"{header} with {compiler} {flags[0]}: {said.stderr.strip()[:600]}"] if said.returncode else []


def check_headers(include, cc, cxx):
    languages = [(cc, ["-std=c99", "-xc"]), (cxx, ["-std=c++20", "-xc++"]), (cxx, ["-std=c++11", "-xc++"])]
    if shutil.which("clang"):
        languages.append(("clang", ["-std=c99", "-xc"]))
    return [p for header in headers_of(include) for compiler, flags in languages for p in compile_alone(include, header, compiler, flags)]


def gate_headers(root, library, build, cc, cxx):
    broken = {"a name of C11": "_Static_assert(1, \"\");\n", "a type that is not declared": "bool sluice_f(void);\n",
              "a declaration without a prototype": "static inline int sluice_f(int a) { }\n"}
    problems = []
    for what, text in broken.items():
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "broken.h").write_text(text)
            if not check_headers(Path(folder), cc, cxx):
                problems.append(f"the gate lets a header pass that has {what}")
    return problems + check_headers(root / "capi/include", cc, cxx)


# --- exports: the list of symbols --------------------------------------------------------------------------------------

def exported(library):
    said = run(["nm", "-D", "--defined-only", library])
    names = {re.sub(r"@.*", "", line.split()[-1]) for line in said.stdout.splitlines()}
    return sorted(name for name in names if name != "SLUICE_0.1")


def declared(include):
    found = set()
    for header in headers_of(include):
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", (include / header).read_text(), flags=re.S)
        found |= set(re.findall(r"SLUICE_API[^;(]*?\b(sluice_\w+)\(", text))
    return sorted(found)


def compare(name, have, want):
    problems = [f"{name}: exports {symbol}, which the list does not have" for symbol in have if symbol not in want]
    return problems + [f"{name}: does not export {symbol}" for symbol in want if symbol not in have]


def gate_exports(root, library, build, cc, cxx):
    listed = (root / "capi/abi/exports.txt").read_text().split()
    problems = compare("the headers", declared(root / "capi/include"), listed)
    problems += compare("libsluice_c", exported(library), listed)
    with tempfile.TemporaryDirectory() as folder:
        for what, symbols in {"one symbol too few": listed[1:], "one symbol too many": listed + ["sluice_more"], "a C++ symbol": listed + ["_ZN6sluice1fEv"]}.items():
            source = Path(folder) / "broken.c"
            source.write_text("".join(f"void {symbol}(void) {{}}\n" for symbol in symbols))
            made = run([cc, "-shared", "-fPIC", "-fno-builtin", "-o", Path(folder) / "broken.so", source])
            if made.returncode or not compare("broken", exported(Path(folder) / "broken.so"), listed):
                problems.append(f"the gate lets a library pass that has {what} {made.stderr}")
    return problems


# --- abi: types and signatures, against the baseline -------------------------------------------------------------------

def describe(library, include, out):
    return run(["abidw", "--headers-dir", include, "--drop-private-types", "--no-corpus-path", "--no-comp-dir-path", "--exported-interfaces-only",
                "--no-show-locs", "--out-file", out, library])


def link(root, cxx, out, objects):
    return run([cxx, "-shared", f"-Wl,--version-script={root / 'capi/exports.map'}", "-o", out, *objects])


def differs(baseline, library, include):
    """What abidiff says; empty where nothing has changed."""
    said = run(["abidiff", "--headers-dir2", include, "--drop-private-types", "--no-show-locs", baseline, library])
    if said.returncode & 3:
        return f"abidiff could not compare: {said.stderr}{said.stdout}"
    return said.stdout.strip() or f"exit code {said.returncode}" if said.returncode else ""


def break_library(root, build, folder, change):
    """The library again, with one change to its headers; only what implements them, which is all that is compared."""
    include = Path(folder) / "include"
    shutil.copytree(root / "capi/include", include, dirs_exist_ok=True)
    part, name, old, new = change
    text = (include / name).read_text()
    if old not in text:
        return None, f"there is no '{old}' in {name} to be broken"
    (include / name).write_text(text.replace(old, new, 1))
    source = root / "capi" / part
    commands = json.loads((build / "compile_commands.json").read_text())
    found = next(c for c in commands if Path(c["file"]) == source)
    command = [part for part in shlex.split(found["command"]) if not part.endswith("ccache")]
    command = [part.replace(str(root / "capi/include"), str(include)) for part in command]
    command[command.index("-o") + 1] = str(Path(folder) / "part.o")
    command.append("-O0")
    made = run(command, cwd=found["directory"])
    if made.returncode:
        return None, made.stderr[:2000]
    objects = [o for o in build.glob("capi/CMakeFiles/sluice_capi.dir/*.o") if o.name != f"{part}.o"]
    out = Path(folder) / "libsluice_c.so"
    made = link(root, command[0], out, [Path(folder) / "part.o", *objects])
    return (None, made.stderr[:2000]) if made.returncode else (out, "")


BREAKS = [
    ("outcome.cpp", "sluice/outcome.h", "int64_t started_at_ms;", "int32_t started_at_ms;"),
    ("queue.cpp", "sluice/queue.h", "uint32_t offset;", "uint64_t offset;"),
]


def gate_abi(root, library, build, cc, cxx):
    for tool in ("abidiff", "abidw"):
        if not shutil.which(tool):
            print(f"skipped: {tool} (abigail-tools) is not on this machine")
            return None
    baseline = root / "capi/abi/libsluice_c.abi"
    problems = []
    if said := differs(baseline, library, root / "capi/include"):
        problems.append(f"the ABI is not that of the baseline:\n{said}\nif this was meant: gates.py write")
    for change in BREAKS:
        with tempfile.TemporaryDirectory() as folder:
            broken, why = break_library(root, build, folder, change)
            if broken is None:
                problems.append(f"a broken library could not be made: {why}")
            elif not differs(baseline, broken, Path(folder) / "include"):
                problems.append(f"the gate lets a library pass in which {change[2]!r} is {change[3]!r}")
    return problems


def write(root, library, build, cc, cxx):
    (root / "capi/abi").mkdir(exist_ok=True)
    (root / "capi/abi/exports.txt").write_text("\n".join(exported(library)) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        # Of what implements the headers alone: the same functions and types, in a hundredth of the text.
        part = Path(folder) / "libsluice_c.so"
        made = link(root, cxx, part, build.glob("capi/CMakeFiles/sluice_capi.dir/*.o"))
        said = describe(part, root / "capi/include", root / "capi/abi/libsluice_c.abi")
    return [made.stderr] * bool(made.returncode) + [said.stderr] * bool(said.returncode)


def main():
    gate, root, library, build = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve(), Path(sys.argv[4]).resolve()
    problems = {"headers": gate_headers, "exports": gate_exports, "abi": gate_abi, "write": write}[gate](root, library, build, *sys.argv[5:7])
    if problems is None:
        return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED
    for problem in problems:
        print(problem)
    print(f"{gate}: {len(problems)} problems" if problems else f"{gate}: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
