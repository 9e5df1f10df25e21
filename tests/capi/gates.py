"""The gates of the C ABI (ABI-09): `gates.py headers|exports|constants|abi ROOT LIBRARY BUILD CC CXX`, and `gates.py write ROOT
LIBRARY ...` to put today's ABI down as the baseline, after a change that was meant.

Each gate is first shown something broken, and fails where it lets that pass: a gate that never closed is not known to be one.
Prints what is wrong and exits 1; 77 where a tool it needs is not on this machine.
"""

import difflib
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


def text_of(include):
    """All headers as one text, without their comments."""
    texts = [(include / header).read_text() for header in headers_of(include)]
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", "\n".join(texts), flags=re.S)


def declared(include):
    return sorted(set(re.findall(r"SLUICE_API[^;(]*?\b(sluice_\w+)\(", text_of(include))))


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


# --- constants: what programs have compiled in, and no library can see -------------------------------------------------

def constants(include, cc):
    """`NAME VALUE` for each enumerator and numeric macro, one a line; but for the version's own."""
    text = text_of(include)
    names = {name for block in re.findall(r"\benum\b[^{;]*\{(.*?)\}", text, flags=re.S) for name in re.findall(r"\bSLUICE_\w+", block)}
    names |= {name for name in re.findall(r"#define (SLUICE_\w+) +[(\d]", text) if not name.startswith("SLUICE_VERSION_")}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "constants.c"
        lines = "".join(f'  printf("{name} %lld\\n", (long long){name});\n' for name in sorted(names))
        source.write_text(f'#include <stdio.h>\n#include "sluice.h"\nint main(void) {{\n{lines}  return 0;\n}}\n')
        made = run([cc, "-std=c99", f"-I{include}", "-o", Path(folder) / "constants", source])
        return made.stderr if made.returncode else run([Path(folder) / "constants"]).stdout


def gate_constants(root, library, build, cc, cxx):
    listed = (root / "capi/abi/constants.txt").read_text()
    have = constants(root / "capi/include", cc)
    problems = list(difflib.unified_diff(listed.splitlines(), have.splitlines(), "the list", "the headers", lineterm="", n=0))
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "include"
        shutil.copytree(root / "capi/include", broken)
        text = (broken / "sluice/queue.h").read_text()
        (broken / "sluice/queue.h").write_text(text.replace("SLUICE_EVENT_END = 4", "SLUICE_EVENT_END = 6"))
        if "SLUICE_EVENT_END 6\n" not in constants(broken, cc):
            problems.append("the gate does not see that SLUICE_EVENT_END is another number")
    return problems


# --- abi: types and signatures, against the baseline -------------------------------------------------------------------

def describe(library, include, out):
    return run(["abidw", "--headers-dir", include, "--drop-private-types", "--no-corpus-path", "--no-comp-dir-path", "--exported-interfaces-only",
                "--no-show-locs", "--out-file", out, library])


def soname(library):
    return re.search(r"\(SONAME\).*\[(.*)\]", run(["readelf", "-d", library]).stdout).group(1)


def link(root, cxx, library, out, objects):
    """`objects` under the name that `library` goes by: a program is bound to it, so it is compared, too."""
    return run([cxx, "-shared", f"-Wl,--version-script={root / 'capi/exports.map'}", f"-Wl,-soname,{soname(library)}", "-o", out, *objects])


def differs(baseline, library):
    """What abidiff says; empty where nothing has changed. What stands behind the handles is left out of the baseline, and so
    of the comparison. (Told to leave it out of the library, too, abidiff passes over members of public structs as well.)"""
    said = run(["abidiff", "--no-show-locs", baseline, library])
    if said.returncode & 3:
        return f"abidiff could not compare: {said.stderr}{said.stdout}"
    return said.stdout.strip() or f"exit code {said.returncode}" if said.returncode else ""


def break_library(root, library, build, folder, breaks):
    """The library again, of sources with all of `breaks`; only what implements the headers, which is all that is compared."""
    capi = Path(folder) / "capi"
    shutil.copytree(root / "capi", capi)
    for names, old, new, _ in breaks:
        for name in names:
            text = (capi / name).read_text()
            if old not in text:
                return None, f"there is no '{old}' in {name} to be broken"
            (capi / name).write_text(text.replace(old, new, 1))
    objects = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["file"]).parent != root / "capi":
            continue
        objects.append(Path(folder) / f"{len(objects)}.o")
        command = [part.replace(str(root / "capi"), str(capi)) for part in shlex.split(entry["command"]) if not part.endswith("ccache")]
        command[command.index("-o") + 1] = str(objects[-1])
        made = run([*command, "-O0"], cwd=entry["directory"])
        if made.returncode:
            return None, made.stderr[:2000]
    out = Path(folder) / "libsluice_c.so"
    made = link(root, command[0], library, out, objects)
    return (None, made.stderr[:2000]) if made.returncode else (out, "")


# Files, what stands there, what is put in its place, and the word of abidiff's that says it has seen it.
BREAKS = [
    (["include/sluice/outcome.h"], "int64_t started_at_ms;", "int32_t started_at_ms;", "started_at_ms"),
    (["include/sluice/request.h"], "  const char *method;", "  const char *before;\n  const char *method;", "before"),
    (["include/sluice/queue.h", "queue.cpp"], "int32_t timeout_ms,", "int64_t timeout_ms,", "sluice_queue_poll"),
]


def gate_abi(root, library, build, cc, cxx):
    for tool in ("abidiff", "abidw"):
        if not shutil.which(tool):
            print(f"skipped: {tool} (abigail-tools) is not on this machine")
            return None
    baseline = root / "capi/abi/libsluice_c.abi"
    problems = []
    if said := differs(baseline, library):
        problems.append(f"the ABI is not that of the baseline:\n{said}\nif this was meant: gates.py write")
    with tempfile.TemporaryDirectory() as folder:
        broken, why = break_library(root, library, build, folder, BREAKS)
        if broken is None:
            return [*problems, f"a broken library could not be made: {why}"]
        said = differs(baseline, broken)
        problems += [f"the gate lets a library pass in which {old!r} is {new!r}" for _, old, new, word in BREAKS if word not in said]
        # Made in the same way and not broken: what the other is refused for is its changes alone.
        objects = build.glob("capi/CMakeFiles/sluice_capi.dir/*.o")
        made = link(root, cxx, library, broken, objects)
        if said := made.stderr or differs(baseline, broken):
            problems.append(f"the gate refuses a library in which nothing was changed:\n{said}")
    return problems


def write(root, library, build, cc, cxx):
    (root / "capi/abi").mkdir(exist_ok=True)
    (root / "capi/abi/exports.txt").write_text("\n".join(exported(library)) + "\n")
    (root / "capi/abi/constants.txt").write_text(constants(root / "capi/include", cc))
    with tempfile.TemporaryDirectory() as folder:
        # Of what implements the headers alone: the same functions and types, in a hundredth of the text.
        part = Path(folder) / "libsluice_c.so"
        made = link(root, cxx, library, part, build.glob("capi/CMakeFiles/sluice_capi.dir/*.o"))
        said = describe(part, root / "capi/include", root / "capi/abi/libsluice_c.abi")
    return [made.stderr] * bool(made.returncode) + [said.stderr] * bool(said.returncode)


def main():
    gate, root, library, build = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve(), Path(sys.argv[4]).resolve()
    gates = {"headers": gate_headers, "exports": gate_exports, "constants": gate_constants, "abi": gate_abi, "write": write}
    problems = gates[gate](root, library, build, *sys.argv[5:7])
    if problems is None:
        return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED
    for problem in problems:
        print(problem)
    print(f"{gate}: {len(problems)} problems" if problems else f"{gate}: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
