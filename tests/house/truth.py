"""What is said in two places is the same in both: the version, and the README's program."""

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


def check(root):
    return check_version(root) + check_program(root)
