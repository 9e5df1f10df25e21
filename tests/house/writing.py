"""How the tree is written: names nobody may use, files that are too long, and the map of lib/.

Each check takes the root and gives its problems as `file:line: what`. Patterns that would find themselves are put
together from pieces.
"""

import re
import shutil
import subprocess
from pathlib import Path

CODE = {".cpp", ".hpp", ".h", ".c", ".py", ".sh", ".mjs", ".cmake"}
MAX_LINES = 450  # a file of more has more than one noun in it
NOT_READ = {"build", ".git", "node_modules", ".cache", "__pycache__"}

LIBRARY = ("lib/", "include/")
COMPILED = {".cpp", ".hpp", ".h", ".c"}


def tracked(root):
    """The files of the tree: git's list where there is one, otherwise a walk."""
    command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True) if shutil.which("git") else None
    if listed and listed.returncode == 0 and listed.stdout:
        names = sorted(set(listed.stdout.splitlines()))
    else:
        names = [p.relative_to(root).as_posix() for p in sorted(root.rglob("*")) if p.is_file()]
    for name in names:
        path = root / name
        if path.is_file() and not NOT_READ & set(Path(name).parts):
            yield name, path


def without_comments(text):
    """The same lines without // and /* */ comments; string literals stay."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)) if m.group(0)[0] == "/" else m.group(0), text)


# (what is wrong and what to do instead, pattern, which files, comments count too)
BANNED = [
    ("std::regex backtracks without bound: use RE2", r"std::" r"(?:w?regex|regex_\w+|w?smatch|w?cmatch)\b|<" r"regex>",
     lambda name: Path(name).suffix in COMPILED, False),
    ("a wait by the clock: use the manual clock, or wait for the event",
     r"\bsleep_" r"(?:for|until)\b|\bu" r"sleep\s*\(|\bnano" r"sleep\s*\(|\btime\." r"sleep\b|(?<![\w.:\"])sleep\s*\(",
     lambda name: name.startswith(("tests/", "lib/", "include/", "sluiced/")) and Path(name).suffix in COMPILED | {".py"}, False),
    ("the library prints nothing: use the log callback",
     r"std::(?:cout|cerr|clog)\b|(?<!\w)(?:std::|fmt::)?(?:f|v|vf)?print" r"f?\s*\(|(?<!\w)(?:std::)?f?puts\s*\(|(?<!\w)putchar\s*\(",
     lambda name: name.startswith(LIBRARY) and Path(name).suffix in COMPILED, False),
    ("a signal handler belongs to the host program", r"(?<!\w)(?:std::)?signal\s*\(\s*SIG|\bsigaction\s*\(",
     lambda name: name.startswith(LIBRARY) and Path(name).suffix in COMPILED, False),
    ("TSan reports a race inside g++ 12's: post snapshots through the mailbox", r"atomic\s*<\s*std::shared_" r"ptr",
     lambda name: Path(name).suffix in COMPILED, False),
    ("unfinished: finish it or file it", r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b",
     lambda name: True, True),
    ("a path of one machine", r"(?<![\w.])/wo" r"rk/|/ro" r"ot/|/ho" r"me/\w",
     lambda name: True, True),
    ("a registry's host name: use its ordinary client", r"registry\.npm" r"js|files\.python" r"hosted|pypi\.o" r"rg|proxy\.golang\.o" r"rg|deb\.debian\.o" r"rg",
     lambda name: True, True),
]
VAGUE = re.compile(r"^(?:utils?|helpers?|misc|common)$|(?:^|_)(?:utils?|helpers?|misc|common)$", re.I)
TEXT = CODE | {".md", ".txt", ".json", ".yml", ".yaml", ".in", ".toml", ""}


def check_names(root):
    """Banned words, banned calls, vague file names."""
    problems = []
    for name, path in tracked(root):
        parts = [Path(name).stem] + list(Path(name).parts[:-1])
        if any(VAGUE.search(part) for part in parts):
            problems.append(f"{name}:1: nothing is called utils, helpers, misc or common: name it after what it holds")
        if path.suffix not in TEXT or name.startswith(("tests/fuzz/corpora/", "tests/golden/", "docs/data/")):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        bare = without_comments(text) if path.suffix in COMPILED else text
        for what, pattern, applies, comments_too in BANNED:
            if not applies(name):
                continue
            for m in re.finditer(pattern, text if comments_too else bare):
                line = text.count("\n", 0, m.start()) + 1
                problems.append(f"{name}:{line}: `{m.group(0)}`: {what}")
    return problems


def check_sizes(root):
    """Code files of more than MAX_LINES lines."""
    problems = []
    for name, path in tracked(root):
        if path.suffix in CODE and not name.startswith(("tests/fuzz/corpora/", "tests/golden/", "docs/data/")):
            lines = path.read_bytes().count(b"\n")
            if lines > MAX_LINES:
                problems.append(f"{name}:{MAX_LINES}: {lines} lines, {MAX_LINES} at most: split it by noun")
    return problems


def check_map(root):
    """lib/README.md has one line for each file of lib/ and for no other."""
    text = (root / "lib/README.md").read_text()
    listed, problems, room = {}, [], None
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.match(r"## `?([a-z]+)`?", line):
            room = heading.group(1)
        elif entry := re.match(r"- `([\w.{},]+)`: \S", line):
            stem, _, endings = entry.group(1).partition(".")
            for ending in endings.strip("{}").split(","):
                file = f"lib/{room}/{stem}.{ending}"
                if file in listed:
                    problems.append(f"lib/README.md:{number}: {file} is listed twice")
                listed[file] = number
    there = {name for name, _ in tracked(root) if name.startswith("lib/") and Path(name).suffix in COMPILED}
    problems += [f"lib/README.md:{listed[f]}: {f} does not exist" for f in sorted(set(listed) - there)]
    problems += [f"{f}:1: is not on the map; give it a line in lib/README.md" for f in sorted(there - set(listed))]
    return problems


def check_introductions(root):
    """Each file of the library opens by saying what it is."""
    problems = []
    for name, path in tracked(root):
        if not name.startswith(LIBRARY) or path.suffix not in COMPILED:
            continue
        first = [line for line in path.read_text().splitlines()[:8] if line.strip() and not line.startswith("#")][:1]
        if not first or not first[0].startswith("//"):
            problems.append(f"{name}:1: a file introduces itself: open with what it is, what it knows, what it must not know")
    return problems


def check(root):
    return check_names(root) + check_sizes(root) + check_introductions(root)
