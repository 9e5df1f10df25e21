"""What is said in two places is the same in both: the version, the README's program, and the code of the page on plugins."""

import re


def check_version(root):
    said = re.search(r"project\(sluice VERSION ([\d.]+)", (root / "CMakeLists.txt").read_text())
    header = (root / "include/sluice/version.hpp").read_text()
    parts = [re.search(rf"#define SLUICE_VERSION_{part} (\d+)", header) for part in ("MAJOR", "MINOR", "PATCH")]
    found = ".".join(m.group(1) if m else "?" for m in parts)
    if not said or found != said.group(1):
        return [f"include/sluice/version.hpp:1: says {found}, CMakeLists.txt says {said.group(1) if said else 'nothing'}"]
    return []


def check_program(root):
    """The README's C++ program is examples/quick_start.cpp, letter for letter, so that the compiler has judged it."""
    program = (root / "examples/quick_start.cpp").read_text()
    blocks = re.findall(r"```cpp\n(.*?)```", (root / "README.md").read_text(), re.S)
    if program not in blocks:
        return ["README.md:1: its C++ program is not examples/quick_start.cpp; copy the file into the block"]
    return []


def check_page(root):
    """C++ on the page on plugins is a piece of an example or of a built-in plugin, line by line: it compiles and runs."""
    page = root / "docs/plugins.md"
    if not page.exists():
        return []
    sources = [p.read_text() for folder in ("examples/plugins", "lib/plugins") for p in sorted((root / folder).glob("*.cpp"))]
    text, problems = page.read_text(), []
    for block in re.finditer(r"^```cpp\n(.*?)^```", text, re.S | re.M):
        if not any("\n" + block.group(1) in source for source in sources):
            line = text.count("\n", 0, block.start()) + 1
            problems.append(f"docs/plugins.md:{line}: this code stands in no file of examples/plugins or lib/plugins; copy it from there")
    return problems


def check(root):
    return check_version(root) + check_program(root) + check_page(root)
