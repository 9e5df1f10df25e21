"""Text that machines write, made up: logs, tables, encodings, emoji. Each family is a function of a seed.

Knows what such text looks like; must not know tokens. Two seeds give two different texts of one kind.
"""

import base64
import json
import random
import string
import uuid

SIZE = 40_000  # bytes at least, of one half of a family

WORDS = """account address agent answer apple archive average balance bicycle board bottle bridge budget button cable calendar
camera carbon castle chapter charge circle client cloud coffee column comment compass contract copper corner country cover
credit crystal customer danger decision delivery desert detail device dinner direction doctor drawing engine error evening
example factor failure feature figure filter finger forest forward fortune friend function garden gateway glass harbour
history holiday hour image income index injury island journey kitchen label language latency letter level library light list
machine manager market matter meadow memory message method minute mirror model moment morning mountain museum network notice
number object office option orange order owner packet paper partner pattern payment pencil people picture planet pocket
policy position power price problem process product profile project queue question reason record region report request
result river rocket sample school season second secret sector server session shadow signal silver soldier source station
status storage street student summer supply surface system table target teacher ticket timeout total traffic travel update
user valley value vector village volume warning water weather window winter writer yellow""".split()
NAMES = "Ada Bruno Chen Dalia Emeka Freya Goran Hana Ines Jonas Kaori Liam Mina Noor Otto Priya Quentin Rosa Sven Tariq".split()
EMOJI = """😀 😂 🥰 😎 🤔 🙏 👍 👀 🔥 ✨ 🎉 🚀 💡 📦 📝 ✅ ❌ ⚠️ 🌍 🌱 🍕 ☕ 🐍 🐛 🎯 💬 📈 📉 🔒 🔑 🕒 🧪 🛠️ ❤️ 👩‍💻 👨‍👩‍👧 🏳️‍🌈 🇩🇪 🇯🇵 🇧🇷 👋🏽 👏🏿""".split()
LEVELS = ["DEBUG", "INFO", "INFO", "INFO", "WARN", "ERROR"]


def repeat(line):
    """A family whose text is `line(random)` over and over."""
    def write(seed):
        rng, size = random.Random(seed), 0
        while size < SIZE:
            text = line(rng)
            size += len(text.encode())
            yield text
    return write


def words(rng, low, high):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))


def sentence(rng):
    return words(rng, 4, 14).capitalize() + rng.choice([".", ".", ".", "?", "!", ":"])


def stamp(rng):
    return (f"20{rng.randint(19, 27)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:"
            f"{rng.randint(0, 59):02}.{rng.randint(0, 999):03}Z")


def hexadecimal(rng, digits):
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def address(rng):
    return ".".join(str(rng.randint(1, 254)) for _ in range(4))


def path(rng):
    return "/" + "/".join(rng.choice(WORDS) for _ in range(rng.randint(1, 4))) + rng.choice(["", ".json", ".html", f"/{rng.randint(1, 99999)}"])


def person(rng):
    return {"id": rng.randint(1, 10**6), "name": rng.choice(NAMES), "email": f"{rng.choice(NAMES).lower()}@{rng.choice(WORDS)}.example",
            "active": rng.random() < .5, "score": round(rng.random() * 100, 2), "tags": [rng.choice(WORDS) for _ in range(rng.randint(0, 4))],
            "address": {"street": f"{rng.choice(WORDS).capitalize()} {rng.randint(1, 200)}", "zip": f"{rng.randint(10000, 99999)}"}}


def log_record(rng):
    return {"ts": stamp(rng), "level": rng.choice(LEVELS), "service": rng.choice(WORDS), "msg": words(rng, 3, 9),
            "trace_id": hexadecimal(rng, 32), "duration_ms": rng.randint(0, 30000), "status": rng.choice([200, 201, 204, 400, 404, 429, 500]),
            "client": address(rng), "path": path(rng)}


def tool(rng):
    fields = {rng.choice(WORDS) + "_" + rng.choice(WORDS): {"type": rng.choice(["string", "integer", "number", "boolean"]),
              "description": sentence(rng)} for _ in range(rng.randint(1, 5))}
    return {"type": "function", "function": {"name": f"get_{rng.choice(WORDS)}_{rng.choice(WORDS)}", "description": sentence(rng),
            "parameters": {"type": "object", "properties": fields, "required": list(fields)[:2], "additionalProperties": False}}}


def chat(rng):
    turns = [{"role": role, "content": " ".join(sentence(rng) for _ in range(rng.randint(1, 5)))} for role in ("system", "user", "assistant", "user")]
    return {"model": "gpt-4o", "stream": True, "temperature": .7, "messages": turns, "tools": [tool(rng)]}


def escaped(rng):
    return json.dumps({"text": "".join(chr(rng.choice([rng.randint(0x430, 0x44f), rng.randint(0x4e00, 0x9fa5), 0x20])) for _ in range(40))})


def access_line(rng):
    return (f'{address(rng)} - - [{rng.randint(1, 28):02}/Mar/2026:{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02} +0000] '
            f'"{rng.choice(["GET", "GET", "POST", "PUT"])} {path(rng)}?page={rng.randint(1, 90)} HTTP/1.1" {rng.choice([200, 304, 404, 502])} '
            f'{rng.randint(0, 90000)} "-" "Mozilla/5.0 (X11; Linux x86_64)"\n')


def syslog_line(rng):
    return (f"Mar {rng.randint(1, 28):2} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02} {rng.choice(WORDS)}-{rng.randint(1, 40):02} "
            f"{rng.choice(WORDS)}d[{rng.randint(100, 65000)}]: {rng.choice(LEVELS).lower()}: {words(rng, 3, 9)} ({rng.choice(WORDS)}={rng.randint(0, 9999)})\n")


def csv_line(rng):
    return ",".join([str(rng.randint(1, 99999)), rng.choice(NAMES), f'"{words(rng, 1, 3)}"', f"{rng.random() * 1000:.2f}",
                     stamp(rng)[:10], rng.choice(["true", "false", ""]), str(rng.randint(0, 9))]) + "\n"


def numbers_line(rng):
    return "\t".join(f"{rng.uniform(-1000, 1000):.{rng.randint(0, 6)}f}" for _ in range(8)) + "\n"


def sql(rng):
    a, b, c = (rng.choice(WORDS) for _ in range(3))
    return rng.choice([
        f"SELECT {a}.id, {a}.{b}_name, COUNT(*) AS total\nFROM {a}s AS {a}\n  LEFT JOIN {c}s ON {c}s.{a}_id = {a}.id\nWHERE {a}.{b} >= {rng.randint(1, 999)} "
        f"AND {c}s.status IN ('{b}', '{c}')\nGROUP BY 1, 2\nORDER BY total DESC\nLIMIT {rng.randint(1, 100)};\n\n",
        f"INSERT INTO {a}s (id, {b}, {c}, created_at) VALUES ({rng.randint(1, 9999)}, '{words(rng, 1, 4)}', NULL, '{stamp(rng)}');\n",
        f"CREATE TABLE {a}_{b} (\n    id BIGINT PRIMARY KEY,\n    {b}_id BIGINT NOT NULL REFERENCES {b}s (id),\n    {c} VARCHAR({rng.randint(8, 255)}) DEFAULT ''\n);\n\n"])


def yaml(rng):
    return (f"- name: {words(rng, 1, 3)}\n  {rng.choice(WORDS)}:\n    image: registry.example/{rng.choice(WORDS)}:{rng.randint(1, 9)}.{rng.randint(0, 20)}\n"
            f"    replicas: {rng.randint(1, 9)}\n    env:\n      - {{name: {rng.choice(WORDS).upper()}_{rng.choice(WORDS).upper()}, value: \"{rng.choice(WORDS)}\"}}\n"
            f"    # {sentence(rng)}\n    limits: {{cpu: {rng.randint(1, 9)}00m, memory: {rng.randint(1, 64)}Mi}}\n")


def markdown(rng):
    rows = "".join(f"| {words(rng, 1, 2)} | {rng.randint(1, 999)} | `{rng.choice(WORDS)}_{rng.choice(WORDS)}` |\n" for _ in range(rng.randint(2, 5)))
    return (f"## {words(rng, 1, 4).capitalize()}\n\n{sentence(rng)} **{words(rng, 1, 2)}** {sentence(rng)}\n\n- {sentence(rng)}\n- [{words(rng, 1, 3)}]"
            f"(https://{rng.choice(WORDS)}.example{path(rng)})\n\n| {rng.choice(WORDS)} | {rng.choice(WORDS)} | {rng.choice(WORDS)} |\n|---|---:|---|\n{rows}\n"
            f"```sh\n{rng.choice(WORDS)} --{rng.choice(WORDS)}={rng.choice(WORDS)} {path(rng)[1:]}\n```\n\n")


def trace(rng):
    return (f"Traceback (most recent call last):\n" + "".join(f'  File "/srv/{rng.choice(WORDS)}{path(rng)}.py", line {rng.randint(1, 900)}, in '
            f'{rng.choice(WORDS)}_{rng.choice(WORDS)}\n    {rng.choice(WORDS)} = self.{rng.choice(WORDS)}({rng.choice(WORDS)}, {rng.choice(WORDS)}=None)\n'
            for _ in range(rng.randint(2, 6))) + f"ValueError: {words(rng, 3, 8)}: {rng.randint(-99, 99)}\n\n")


def url(rng):
    return (f"https://{rng.choice(['www', 'api', 'cdn'])}.{rng.choice(WORDS)}{rng.choice(WORDS)}.example{path(rng)}?{rng.choice(WORDS)}={hexadecimal(rng, 8)}"
            f"&{rng.choice(WORDS)}={rng.choice(WORDS)}%20{rng.choice(WORDS)}#{rng.choice(WORDS)}-{rng.randint(1, 30)}\n")


def identifiers(rng):
    parts = [rng.choice(WORDS) for _ in range(rng.randint(2, 5))]
    return rng.choice(["_".join(parts), "_".join(parts).upper(), parts[0] + "".join(p.capitalize() for p in parts[1:]), "-".join(parts),
                       ".".join(parts)]) + rng.choice([" ", "\n", ", ", "();\n"])


def rule(rng):
    return (rng.choice(rng.choice(["-=*#_~/.+", string.punctuation])) * rng.randint(3, 80) + "\n" + " " * rng.randint(0, 40) + sentence(rng) +
            "\n" * rng.randint(1, 6))


def grid(rng):
    """A table of a terminal: padded cells between bars."""
    sizes = [rng.randint(4, 24) for _ in range(rng.randint(3, 7))]
    line = "+" + "+".join("-" * (size + 2) for size in sizes) + "+\n"

    def cell(size):
        text = rng.choice([words(rng, 1, 2), str(rng.randint(0, 99999)), "", rng.choice(NAMES), "-"])[:size]
        return f" {text:<{size}} " if rng.random() < .6 else f" {text:>{size}} "
    return line + "".join("|" + "|".join(map(cell, sizes)) + "|\n" + (line if rng.random() < .3 else "") for _ in range(rng.randint(2, 8))) + "\n"


def boxes(rng):
    width = rng.randint(6, 40)
    return f"┌{'─' * width}┐\n│ {words(rng, 1, 3)[:width - 2]:<{width - 2}} │\n├{'─' * width}┤\n└{'─' * width}┘ {rng.choice('→←↑↓⇒•■□▪')}\n"


def mathematics(rng):
    return (f"∀{rng.choice('xyzαβγ')} ∈ ℝ: {rng.choice('∑∏∫√')}{rng.choice('αβγδεθλμπσφω')}₁² {rng.choice('≤≥≠≈≡')} {rng.randint(1, 99)}·{rng.choice('xyz')} "
            f"{rng.choice('∪∩⊂⊆∧∨⇒⇔')} {words(rng, 1, 4)}\n")


def emoji_chat(rng):
    return f"{sentence(rng)} {''.join(rng.choice(EMOJI) for _ in range(rng.randint(1, 4)))}{rng.choice([' ', chr(10)])}"


FAMILIES = {
    "json log": repeat(lambda rng: json.dumps(log_record(rng), separators=(",", ":")) + "\n"),
    "json log spaced": repeat(lambda rng: json.dumps(log_record(rng)) + "\n"),
    "json records": repeat(lambda rng: json.dumps([person(rng), person(rng)], separators=(",", ":")) + "\n"),
    "json records indented": repeat(lambda rng: json.dumps([person(rng), person(rng)], indent=2) + "\n"),
    "json tools": repeat(lambda rng: json.dumps([tool(rng), tool(rng)]) + "\n"),
    "json chat": repeat(lambda rng: json.dumps(chat(rng), separators=(",", ":")) + "\n"),
    "json escapes": repeat(lambda rng: escaped(rng) + "\n"),
    "access log": repeat(access_line),
    "syslog": repeat(syslog_line),
    "csv": repeat(csv_line),
    "numbers": repeat(numbers_line),
    "sql": repeat(sql),
    "yaml": repeat(yaml),
    "markdown": repeat(markdown),
    "stack traces": repeat(trace),
    "urls": repeat(url),
    "identifiers": repeat(identifiers),
    "base64": repeat(lambda rng: base64.b64encode(rng.randbytes(57)).decode() + "\n"),
    "base64 unbroken": repeat(lambda rng: base64.b64encode(rng.randbytes(3000)).decode()),
    "uuids": repeat(lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)) + "\n"),
    "hexadecimal": repeat(lambda rng: hexadecimal(rng, 64) + "\n"),
    "hex dump": repeat(lambda rng: f"{rng.getrandbits(20):08x}  " + " ".join(hexadecimal(rng, 2) for _ in range(16)) + "\n"),
    "random ascii": repeat(lambda rng: "".join(chr(rng.randint(33, 126)) for _ in range(40)) + "\n"),
    "rules": repeat(rule),
    "terminal tables": repeat(grid),
    "box drawing": repeat(boxes),
    "mathematics": repeat(mathematics),
    "emoji": repeat(lambda rng: rng.choice(EMOJI)),
    "emoji in chat": repeat(emoji_chat),
}
