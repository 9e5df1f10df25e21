"""The layer table, and the check of every #include against it.

Knows which room may look into which, which public header belongs to which room, and which third-party headers a room
may see. Must not know how a file is compiled: it reads text.
"""

import re
from pathlib import Path

# room: what it may include beside itself. A room missing from a row is a forbidden arrow.
BELOW_GATEWAY = "base http json chat auth engine dialect policy plugin telemetry sim plugins".split()
TABLE = {
    "base": [],
    "http": ["base"],
    "json": ["base"],
    "chat": ["base", "json"],
    "auth": ["base", "http", "json"],
    "engine": ["base", "http"],
    "dialect": ["base", "http", "json", "chat"],
    "policy": ["base", "http", "json", "chat"],
    "plugin": ["base", "http", "chat"],
    "telemetry": ["base", "http", "json", "chat", "engine"],
    "sim": ["base", "http", "json", "chat", "dialect", "engine"],
    "plugins": ["base", "http", "json", "chat", "policy", "plugin"],
    "gateway": BELOW_GATEWAY,
    "server": BELOW_GATEWAY + ["gateway"],
    # What stands on the public headers alone.
    "testing": BELOW_GATEWAY + ["gateway"],
    "umbrella": BELOW_GATEWAY + ["gateway", "server"],
}

# A public header belongs to the room of its noun; a plain value that several rooms read, to the lowest of them.
NOUNS = {
    "version": "base", "error": "base", "clock": "base", "random": "base", "secret": "base", "body": "base", "outcome": "base",
    "consumer": "base", "listen": "base", "fork_mark": "base", "host_credential": "base", "plugin_mode": "base", "request_shape": "base",
    "tokens": "base",
    "headers": "http", "message": "http", "upstream": "http", "rest": "http",
    "route": "policy", "match": "policy", "edits": "policy", "plugin_use": "policy",
    "plugin": "plugin",
    "telemetry": "telemetry",
    "host_transport": "engine",
    "config": "gateway", "gateway": "gateway",
    "server": "server",
    "simulator": "sim",
    "testing": "testing",
    "sluice": "umbrella",
}

# Third-party headers and the rooms that may see them; std and tl/expected are everybody's.
PACKAGES = {
    r"fmt/": set(TABLE) - {"umbrella", "testing"},
    r"simdjson": {"json"},
    r"curl/": {"engine"},
    r"ares": {"engine"},
    r"re2/": {"policy", "gateway"},
    r"http_parser": {"http"},
    r"openssl/": {"base", "auth", "engine", "telemetry", "gateway", "server"},
    r"zlib": {"gateway", "http", "engine"},
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def includes(text):
    """(line, quote, name) of each #include."""
    for m in INCLUDE.finditer(text):
        yield text.count("\n", 0, m.start()) + 1, m.group(1), m.group(2)


def room_of(path):
    """The room a path under the root belongs to, or None where the table says nothing of it."""
    parts = Path(path).parts
    if parts[:2] == ("include", "sluice") and len(parts) == 3:
        return NOUNS.get(Path(path).stem)
    if parts[0] == "lib" and len(parts) > 2:
        return parts[1]
    return None


def target_of(name):
    """The room an include name leads to; None for a name that is no room's."""
    first, _, rest = name.partition("/")
    if first == "sluice":
        return NOUNS.get(rest.removesuffix(".hpp"))
    return first if rest and first in TABLE else None


def check_includes(root):
    """Every arrow of include/ and lib/ that the table does not allow, as `file:line: what`."""
    problems = []
    files = [p for d in ("include/sluice", "lib") for p in sorted((root / d).rglob("*")) if p.suffix in (".hpp", ".cpp")]
    for path in files:
        name = path.relative_to(root).as_posix()
        room = room_of(name)
        if room is None or room not in TABLE:
            problems.append(f"{name}:1: belongs to no room of the layer table; add its noun to NOUNS or its room to TABLE in tests/house/layers.py")
            continue
        for line, quote, included in includes(path.read_text()):
            where = f"{name}:{line}"
            if quote == '"':
                target = target_of(included)
                if target is None:
                    problems.append(f'{where}: "{included}" names no room; write "<room>/<file>.hpp" or "sluice/<noun>.hpp"')
                elif target != room and target not in TABLE[room]:
                    problems.append(f'{where}: {room} may not look into {target} ("{included}"); it may into: {" ".join(TABLE[room]) or "nothing"}')
                continue
            for pattern, rooms in PACKAGES.items():
                if re.match(pattern, included) and room not in rooms:
                    problems.append(f"{where}: <{included}> belongs to {' '.join(sorted(rooms))}, not to {room}")
    return problems


def check_link_lists(root):
    """Every LAYERS list of lib/<room>/CMakeLists.txt that goes beyond the table."""
    problems = []
    for path in sorted((root / "lib").glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        for name, body in re.findall(r"sluice_layer\(\s*(\w+)([^)]*)\)", text):
            where = path.relative_to(root).as_posix()
            match = re.search(r"\bLAYERS\b((?:\s+[a-z]+\b)*)", body)
            if name not in TABLE:
                problems.append(f"{where}: room '{name}' is not in the layer table")
                continue
            for used in match.group(1).split() if match else []:
                if used not in TABLE[name]:
                    problems.append(f"{where}: {name} may not link {used}; it may: {' '.join(TABLE[name]) or 'nothing'}")
    return problems


def check_outsiders(root):
    """Examples, the stranger of the install test and the C ABI are users: they see the public headers and nothing else."""
    problems = []
    for folder in ("examples", "tests/install", "capi"):
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            for line, quote, included in includes(path.read_text()):
                first = included.partition("/")[0]
                if quote == '"' and first in TABLE:
                    problems.append(f"{path.relative_to(root).as_posix()}:{line}: \"{included}\" is inside the library; use include/sluice")
    return problems


def check(root):
    return check_includes(root) + check_link_lists(root) + check_outsiders(root)
