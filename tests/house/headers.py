"""Every public header stands alone: it compiles first in a file, warning-free, with g++ and clang++, and includes std and
tl/expected only. Its namespace is visible, or a shared libsluice would not export what it declares.
"""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from layers import includes

STD = set("""algorithm any array atomic barrier bit bitset charconv chrono cinttypes climits cmath compare complex concepts
condition_variable coroutine cstddef cstdint cstdio cstdlib cstring ctime deque exception expected filesystem format forward_list
functional future initializer_list iosfwd istream iterator latch limits list map memory memory_resource mutex new numbers numeric
optional ostream queue random ranges ratio scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept
stop_token streambuf string string_view system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
valarray variant vector version""".split())
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-x", "c++", "-"]
VISIBLE = 'namespace [[gnu::visibility("default")]] '


def check_contents(root):
    problems = []
    for path in sorted((root / "include/sluice").glob("*.hpp")):
        name, text = path.relative_to(root).as_posix(), path.read_text()
        if not text.startswith("#pragma once\n"):
            problems.append(f"{name}:1: opens with #pragma once")
        for line, quote, included in includes(text):
            if quote == "<" and included not in STD and included != "tl/expected.hpp":
                problems.append(f"{name}:{line}: <{included}>: a public header includes std and tl/expected only")
            if quote == '"' and not re.fullmatch(r"sluice/\w+\.hpp", included):
                problems.append(f'{name}:{line}: "{included}": a public header includes public headers only')
        if re.search(r"^namespace ", text, re.M) and VISIBLE not in text:
            problems.append(f"{name}:1: declares nothing visible: open with `{VISIBLE}sluice {{`")
    return problems


def compile_alone(root, compiler, header):
    # Twice, so that a missing guard shows too.
    text = f'#include "{header}"\n' * 2
    run = subprocess.run([compiler, *FLAGS, f"-I{root / 'include'}"], input=text, capture_output=True, text=True)
    return [f"include/{header}: does not compile alone with {compiler}:\n{run.stderr.strip()}"] if run.returncode else []


def check(root, compilers=("g++", "clang++")):
    """Problems, and the compilers that are not on this machine."""
    problems, missing = check_contents(root), [c for c in compilers if not shutil.which(c)]
    headers = sorted(p.relative_to(root / "include").as_posix() for p in (root / "include/sluice").glob("*.hpp"))
    jobs = [(c, h) for c in compilers if c not in missing for h in headers]
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda job: compile_alone(root, *job), jobs):
            problems += found
    return problems, missing
