"""The house rules as tests: `house.py ROOT layering|writing|map|headers|truth|self-test`.

Prints each problem as `file:line: what`, and exits 1 where there is one. The self-test plants every violation in a small
tree of its own and fails where a check does not see it: a gate that never closed is not known to be a gate.
"""

import os
import sys
import tempfile
from pathlib import Path

import headers
import layers
import truth
import writing

SKIPPED = 77  # what ctest takes for "skipped"

GOOD = {
    "CMakeLists.txt": "project(sluice VERSION 0.1.0)\n",
    "include/sluice/error.hpp": '#pragma once\n/// Errors.\n#include <string>\nnamespace [[gnu::visibility("default")]] sluice {}\n',
    "include/sluice/version.hpp": '#pragma once\n/// V.\n#define SLUICE_VERSION_MAJOR 0\n#define SLUICE_VERSION_MINOR 1\n#define SLUICE_VERSION_PATCH 0\n',
    "lib/README.md": "## `base`\n- `glob.{hpp,cpp}`: patterns\n## `policy`\n- `match.cpp`: which route\n",
    "lib/base/CMakeLists.txt": "sluice_layer(base SOURCES glob.cpp)\n",
    "lib/base/glob.hpp": "#pragma once\n/// Patterns.\n#include <string>\n",
    "lib/base/glob.cpp": '// Patterns.\n#include "base/glob.hpp"\n',
    "lib/policy/CMakeLists.txt": "sluice_layer(policy SOURCES match.cpp LAYERS base http json chat PACKAGES fmt::fmt)\n",
    "lib/policy/match.cpp": '// Which route.\n#include "base/glob.hpp"\n#include <re2/re2.h>\n',
    "examples/quick_start.cpp": '// Quick.\n#include <sluice/sluice.hpp>\nint main() {}\n',
    "README.md": "```cpp\n// Quick.\n#include <sluice/sluice.hpp>\nint main() {}\n```\n",
    "examples/plugins/first.cpp": "// First.\nint f() {\n  return 1;\n}\n",
    "docs/plugins.md": "Like this:\n\n```cpp\n  return 1;\n```\n",
}

# (which check, file, text, a piece of the complaint)
PLANTED = [
    ("layering", "lib/base/glob.cpp", '// P.\n#include "policy/match.hpp"\n', "base may not look into policy"),
    ("layering", "lib/policy/match.cpp", '// P.\n#include "engine/loop.hpp"\n', "policy may not look into engine"),
    ("layering", "lib/policy/match.cpp", '// P.\n#  include "sluice/gateway.hpp"\n', "policy may not look into gateway"),
    ("layering", "lib/policy/match.cpp", '// P.\n#include "match.hpp"\n', "names no room"),
    ("layering", "lib/policy/match.cpp", "// P.\n#include <curl/curl.h>\n", "<curl/curl.h> belongs to engine"),
    ("layering", "lib/attic/a.cpp", "// A.\n", "belongs to no room"),
    ("layering", "include/sluice/novelty.hpp", "#pragma once\n", "belongs to no room"),
    ("layering", "include/sluice/error.hpp", '#pragma once\n#include "sluice/gateway.hpp"\n', "base may not look into gateway"),
    ("layering", "lib/base/CMakeLists.txt", "sluice_layer(base SOURCES glob.cpp\n  LAYERS http)\n", "base may not link http"),
    ("layering", "examples/quick_start.cpp", '#include "engine/loop.hpp"\n', "inside the library"),
    ("writing", "lib/base/glob.cpp", "// P.\n#include <" "regex>\n", "use RE2"),
    ("writing", "lib/base/glob.cpp", "// P.\nauto r = std::" 'regex("a");\n', "use RE2"),
    ("writing", "tests/unit/a_test.cpp", "void f() { std::this_thread::sleep_" "for(1s); }\n", "wait by the clock"),
    ("writing", "tests/clients/a.py", "import time\ntime." "sleep(1)\n", "wait by the clock"),
    ("writing", "lib/base/glob.cpp", '// P.\nvoid f() { print' 'f("x"); }\n', "prints nothing"),
    ("writing", "lib/base/glob.cpp", '// P.\nvoid f() { std::' 'cout << 1; }\n', "prints nothing"),
    ("writing", "lib/base/glob.cpp", "// P.\nvoid f() { signal" "(SIGPIPE, SIG_IGN); }\n", "host program"),
    ("writing", "lib/base/glob.cpp", "// P.\nstd::atomic<std::shared_" "ptr<int>> p;\n", "mailbox"),
    ("writing", "lib/base/glob.cpp", "// TO" "DO: later\n", "unfinished"),
    ("writing", "README.md", "see /wo" "rk/main\n", "path of one machine"),
    ("writing", "tests/clients/package.json", '{"resolved": "https://registry.npm' 'js.org/a"}\n', "registry"),
    ("writing", "lib/base/string_utils.cpp", "// S.\n", "name it after"),
    ("writing", "lib/common/a.cpp", "// S.\n", "name it after"),
    ("writing", "lib/base/glob.cpp", "// long\n" * 451, "451 lines"),
    ("writing", "lib/base/glob.cpp", "\n#include <string>\nint x;\n", "introduces itself"),
    ("map", "lib/base/stray.cpp", "// S.\n", "not on the map"),
    ("map", "lib/README.md", "## `base`\n- `glob.{hpp,cpp}`: p\n- `gone.cpp`: x\n## `policy`\n- `match.cpp`: x\n", "does not exist"),
    ("map", "lib/README.md", "## `base`\n- `glob.{hpp,cpp}`: p\n- `glob.cpp`: x\n## `policy`\n- `match.cpp`: x\n", "listed twice"),
    ("headers", "include/sluice/error.hpp", "#pragma once\n#include <curl/curl.h>\n", "std and tl/expected only"),
    ("headers", "include/sluice/error.hpp", "#pragma once\nnamespace sluice { std::string name(); }\n", "does not compile alone"),
    ("headers", "include/sluice/error.hpp", "struct Twice {};\n", "opens with #pragma once"),
    ("headers", "include/sluice/error.hpp", "#pragma once\nnamespace sluice { int f(); }\n", "declares nothing visible"),
    ("truth", "include/sluice/version.hpp", "#pragma once\n#define SLUICE_VERSION_MAJOR 9\n", "0.1.0"),
    ("truth", "README.md", "```cpp\nint main() { return 1; }\n```\n", "quick_start.cpp"),
    ("truth", "docs/plugins.md", "```cpp\n  return 1;\n```\n\n```cpp\n  return 2;\n```\n", "docs/plugins.md:5: this code stands in no file"),
    ("truth", "docs/plugins.md", "```cpp\nreturn 1;\n```\n", "stands in no file"),
]


def run(check, root):
    """Problems, and what could not be looked at."""
    if check == "headers":
        return headers.check(root)
    return {"layering": layers.check, "writing": writing.check, "map": writing.check_map, "truth": truth.check}[check](root), []


def plant(folder, files):
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Path(folder)


def self_test():
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        root = plant(folder, GOOD)
        for check in ("layering", "writing", "map", "headers", "truth"):
            failed += [f"the sound tree is called wrong by {check}: {p}" for p in run(check, root)[0]]
    for check, name, text, piece in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            problems, _ = run(check, plant(folder, {**GOOD, name: text}))
            if not any(piece in p for p in problems):
                failed.append(f"{check} does not see what was planted in {name}: {text[:60]!r}; it says {problems}")
    print(f"self-test: {len(PLANTED)} planted violations")
    return failed


def main():
    root, check = Path(sys.argv[1]).resolve(), sys.argv[2]
    problems, missing = (self_test(), []) if check == "self-test" else run(check, root)
    for problem in problems:
        print(problem)
    if problems:
        print(f"{check}: {len(problems)} problems")
        return 1
    if missing:
        print(f"skipped: {' '.join(missing)} not on this machine")
        return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED
    print(f"{check}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
