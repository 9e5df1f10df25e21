"""Runs one suite of the Go binding, or the Node example: `run_suite.py SUITE LIBRARY [CACHE]`, where LIBRARY is libsluice_c.so as
it was built, and CACHE where tests/clients/install.sh put Node's packages.

pkg-config is told of the library in the build by a file of its own, so that nothing has to be installed. A suite that needs what
cannot be had says so, and is skipped (a failure where SLUICE_REQUIRE_ALL=1).
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77  # what ctest takes for "skipped"
DEBIAN_GO = Path("/usr/lib/go/bin/go")  # of the package golang-go, 1.19 on Debian 12: the oldest Go the binding is for


def skip(reason):
    print(f"skipped: {reason}")
    return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED


def version_of(go):
    """(1, 19) of `go version go1.19.8 linux/amd64`."""
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(n) for n in re.search(r"go(\d+)\.(\d+)", said).groups())


def pkg_config(folder, library):
    (Path(folder) / "sluice_c.pc").write_text(
        "Name: sluice_c\nDescription: the C ABI of sluice, in its build tree\nVersion: 0\n"
        f"Cflags: -I{ROOT / 'capi/include'}\nLibs: -L{library.parent} -lsluice_c -Wl,-rpath,{library.parent}\n")


def test(go, where, *arguments, **environment):
    """Runs `go test` in a folder; gives its exit code, and counts what ran as Catch2 would, for tests/tally.py."""
    run = subprocess.run([go, "test", "-count=1", "-v", *arguments, "./..."], cwd=where, env={**os.environ, **environment},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(run.stdout)
    passed = len(re.findall(r"^--- PASS: ", run.stdout, re.M))
    failed = len(re.findall(r"^--- FAIL: ", run.stdout, re.M))
    if run.returncode == 0 and passed == 0:
        print("no test ran")
        return 1
    if run.returncode == 0:
        print(f"All tests passed ({passed} assertions in {passed} test cases)")
    else:
        print(f"test cases: {passed + failed} | {passed} passed | {failed} failed")
    return run.returncode


def without_cgo(go):
    """A program that is built without cgo is refused by the compiler, with a name that says why."""
    run = subprocess.run([go, "build", "."], cwd=HERE, env={**os.environ, "CGO_ENABLED": "0"}, capture_output=True, text=True)
    print(run.stderr)
    return 0 if run.returncode != 0 and "sluice_needs_cgo" in run.stderr and "CGO_ENABLED_1" in run.stderr else 1


def clients(go, folder):
    """The vendors' own clients, from the module proxy, each in the version that go.mod pins."""
    got = subprocess.run([go, "mod", "download"], cwd=HERE / "clients" / folder, capture_output=True, text=True)
    if got.returncode:
        return skip(f"openai-go and anthropic-sdk-go could not be had: {got.stderr.strip()}")
    return test(go, HERE / "clients" / folder)


def node(library, cache):
    """examples/node, beside the packages that its package.json asks for."""
    modules, program = cache / "node/node_modules", shutil.which("node")
    if program is None or not (modules / "koffi").exists():
        return skip("koffi could not be installed (tests/clients/install.sh says why), or there is no Node")
    pinned = json.loads((ROOT / "examples/node/package.json").read_text())["dependencies"]["koffi"]
    there = json.loads((modules / "koffi/package.json").read_text())["version"]
    if there != pinned:
        print(f"examples/node asks for koffi {pinned}, tests/clients for {there}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for file in (ROOT / "examples/node").iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        (Path(folder) / "node_modules").symlink_to(modules.resolve())
        return subprocess.run([program, "stream.mjs"], cwd=folder, env={**os.environ, "SLUICE_LIBRARY": str(library)}).returncode


def module_path():
    """The path of the module is said in one place; all others say the same."""
    path = re.match(r"module (\S+)", (HERE / "go.mod").read_text()).group(1)
    wrong = []
    for folder in (HERE, ROOT / "examples/go", ROOT / "benchmarks/go"):
        for file in [*folder.rglob("*.go"), *folder.rglob("go.mod"), *folder.rglob("*.md")]:
            for found in re.findall(r"\bsluice\.[a-z]+/[a-z]+", file.read_text()):
                if found != path and not found.endswith(("/clients", "/examples", "/benchmarks")):
                    wrong.append(f"{file.relative_to(ROOT)} says {found}, go.mod says {path}")
    print("\n".join(wrong) or f"module {path}: ok")
    return 1 if wrong or "." not in path else 0


def formatted(go):
    """gofmt has nothing to say."""
    gofmt = Path(go).resolve().parent / "gofmt"
    said = subprocess.run([gofmt, "-l", HERE, ROOT / "examples/go", ROOT / "benchmarks/go"], capture_output=True, text=True)
    print(said.stdout or "gofmt: ok", said.stderr)
    return 1 if said.stdout or said.returncode else 0


def main():
    suite, library = sys.argv[1], Path(sys.argv[2]).resolve()
    if suite == "node":
        return node(library, Path(sys.argv[3]))
    oldest = str(DEBIAN_GO)
    go = shutil.which("go") or (oldest if DEBIAN_GO.exists() else None)
    if go is None:
        return skip("there is no Go here; Debian's package is golang-go")
    if suite == "oldest" and (not DEBIAN_GO.exists() or version_of(oldest) > (1, 19)):
        return skip("Go 1.19 is not here; Debian 12's package golang-go is it")
    with tempfile.TemporaryDirectory() as folder:
        pkg_config(folder, library)
        # The Go that is here, and no other that a go.mod may ask for.
        # Go's build cache looks neither at what pkg-config says nor into headers, only at these two: without them what was built
        # for another library, or for other headers, would do.
        headers = hashlib.sha256(b"".join(file.read_bytes() for file in sorted((ROOT / "capi/include").rglob("*.h")))).hexdigest()
        os.environ.update({"CGO_CFLAGS": f"-O2 -g -I{ROOT / 'capi/include'} -DSLUICE_HEADERS=0x{headers[:8]}", "CGO_LDFLAGS": f"-L{library.parent} -Wl,-rpath,{library.parent}"})
        os.environ.update({"PKG_CONFIG_PATH": folder, "CGO_ENABLED": "1", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"})
        if suite == "unit":
            return test(go, HERE)
        if suite == "oldest":
            return test(oldest, HERE)
        if suite == "race":
            return test(go, HERE, "-race")
        if suite == "cgocheck":
            if version_of(go) >= (1, 21):
                return test(go, HERE, GOEXPERIMENT="cgocheck2")
            return test(go, HERE, GODEBUG="cgocheck=2")
        if suite == "examples":
            return test(go, ROOT / "examples/go")
        if suite == "clients":
            return clients(go, "current" if version_of(go) >= (1, 26) else "early")
        if suite == "early-clients":
            return clients(oldest if DEBIAN_GO.exists() else go, "early")
        if suite == "vet":
            return subprocess.run([go, "vet", "./..."], cwd=HERE).returncode or formatted(go) or module_path() or without_cgo(go)
        if suite == "bench":
            return test(go, ROOT / "benchmarks/go", "-run=.", "-bench=.", "-benchtime=1x")
    print(f"there is no suite {suite}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
