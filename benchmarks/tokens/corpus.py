"""The texts the estimator is fitted on and measured with: families of windows, each family in two halves.

Knows where texts lie in installed or unpacked packages and how to take them out; must not know tokens. Nothing of these
texts is part of sluice.
"""

import gzip
import html
import re
import unicodedata
from pathlib import Path

import generated

WINDOW = 2048       # bytes
WINDOWS = 12        # of each half of a family, evenly over it
ENOUGH = 600_000    # bytes of a family that are looked at

# Debian packages (all of main) whose files are read; run.sh unpacks them into the cache, it installs none.
PACKAGES = """gnome-user-docs iso-codes zlib1g-dev nlohmann-json3-dev catch2 python3-networkx
golang-github-spf13-cobra-dev node-lodash node-typescript librust-regex-dev bash-completion cmake-data libjs-bootstrap4
libjs-jquery ruby-rack libmoose-perl php-doctrine-dbal fortunes-zh fortunes-min manpages
debian-reference-ja debian-reference-zh-cn debian-reference-zh-tw""".split()

# GNOME's user help: instructions. Only paragraphs that were translated are taken.
HELP = {"en": "C", "de": "de", "fr": "fr", "es": "es", "pt": "pt_BR", "it": "it", "nl": "nl", "sv": "sv", "da": "da", "pl": "pl",
        "cs": "cs", "hu": "hu", "fi": "fi", "id": "id", "vi": "vi", "el": "el", "ru": "ru", "uk": "uk", "sr": "sr", "fa": "fa",
        "mr": "mr", "ta": "ta", "te": "te", "gu": "gu", "ko": "ko", "ja": "ja", "zh": "zh_CN"}
# The Universal Declaration of Human Rights: law. Languages the help has not, and some that it has, in another register.
RIGHTS = {"en": "eng", "de": "deu_1996", "fr": "fra", "es": "spa", "pt": "por_BR", "it": "ita", "nl": "nld", "ro": "ron_2006",
          "pl": "pol", "cs": "ces", "hu": "hun", "fi": "fin", "lt": "lit", "is": "isl", "tr": "tur", "vi": "vie", "id": "ind", "tl": "tgl",
          "sw": "swh", "yo": "yor", "ha": "hau_NG", "zu": "zul", "ru": "rus", "uk": "ukr", "bg": "bul", "kk": "kaz",
          "el": "ell_monotonic", "he": "heb", "ar": "arb", "ur": "urd", "fa": "pes_1", "hi": "hin", "mr": "mar", "bn": "ben", "pa": "pan",
          "gu": "guj", "ta": "tam", "te": "tel", "kn": "kan", "ml": "mal", "si": "sin", "th": "tha", "lo": "lao", "my": "mya", "km": "khm",
          "bo": "bod", "ka": "kat", "hy": "hye", "am": "amh", "ko": "kor", "ja": "jpn", "zh-Hans": "cmn_hans", "zh-Hant": "cmn_hant"}
# Scripts whose text has two forms: the decomposed one is a family of its own.
DECOMPOSED = {"help": ["de", "fr", "pl", "cs", "vi", "el", "ru", "ko", "ja"], "rights": ["vi", "yo", "ar", "hi", "bn"]}

# Source text: family, package, files.
SOURCES = [
    ("code c", "zlib1g-dev", "usr/share/doc/zlib1g-dev/examples/*.c*"),
    ("code c++", "nlohmann-json3-dev", "usr/include/nlohmann/detail/**/*.hpp"),
    ("code c++ tests", "catch2", "usr/include/catch2/catch.hpp"),
    ("code python", "python3-networkx", "usr/lib/python3/dist-packages/networkx/algorithms/**/*.py"),
    ("code go", "golang-github-spf13-cobra-dev", "usr/share/gocode/src/**/*.go"),
    ("code javascript", "node-lodash", "usr/share/nodejs/lodash/*.js"),
    ("code javascript minified", "libjs-jquery", "usr/share/javascript/jquery/jquery.min.js"),
    ("code typescript", "node-typescript", "usr/share/nodejs/typescript/lib/lib.dom.d.ts"),
    ("code rust", "librust-regex-dev", "usr/share/cargo/registry/regex-*/src/**/*.rs"),
    ("code ruby", "ruby-rack", "usr/share/rubygems-integration/all/gems/*/lib/**/*.rb"),
    ("code perl", "libmoose-perl", "usr/lib/x86_64-linux-gnu/perl5/**/*.pm"),
    ("code php", "php-doctrine-dbal", "usr/share/php/Doctrine/DBAL/**/*.php"),
    ("code shell", "bash-completion", "usr/share/bash-completion/completions/*"),
    ("code cmake", "cmake-data", "usr/share/cmake-3.25/Modules/*.cmake"),
    ("css", "libjs-bootstrap4", "usr/share/nodejs/bootstrap/dist/css/bootstrap.css"),
    ("xml", "gnome-user-docs", "usr/share/help/C/gnome-help/*.page"),
    ("xml cyrillic", "gnome-user-docs", "usr/share/help/ru/gnome-help/*.page"),
    ("json indented", "iso-codes", "usr/share/iso-codes/json/iso_639-3.json"),
    ("roff", "manpages", "usr/share/man/man7/*.7*"),
    ("fortunes en", "fortunes-min", "usr/share/games/fortunes/*"),
    ("reference ja", "debian-reference-ja", "usr/share/debian-reference/debian-reference.ja.txt.gz"),
    ("reference zh-Hans", "debian-reference-zh-cn", "usr/share/debian-reference/debian-reference.zh-cn.txt.gz"),
    ("reference zh-Hant", "debian-reference-zh-tw", "usr/share/debian-reference/debian-reference.zh-tw.txt.gz"),
    ("poems zh", "fortunes-zh", "usr/share/games/fortunes/tang300"),
]

# Measured with, but not fitted to: eighth-century verse says little of what Chinese costs today.
NOT_FITTED = {"poems zh"}

TAG = re.compile(r"<[^>]*>")
PARAGRAPH = re.compile(r"<(?:p|title|desc)\b[^>]*>(.*?)</(?:p|title|desc)>", re.S)


def plain(markup):
    return " ".join(html.unescape(TAG.sub("", markup)).split())


def paragraphs(folder):
    for page in sorted(folder.glob("*.page")):
        yield from filter(None, map(plain, PARAGRAPH.findall(page.read_text())))


def help_texts(debs):
    folder = debs / "gnome-user-docs/usr/share/help"
    english = set(paragraphs(folder / "C/gnome-help"))
    for language, name in HELP.items():
        found = dict.fromkeys(p for p in paragraphs(folder / name / "gnome-help") if language == "en" or p not in english)
        yield language, "\n\n".join(found)


def rights_texts(declarations):
    for language, name in RIGHTS.items():
        body = (declarations / f"{name}.html").read_text().split("<body>", 1)[1]
        yield language, "\n\n".join(filter(None, map(plain, re.findall(r"<(?:h\d|p|li)\b[^>]*>(.*?)</(?:h\d|p|li)>", body, re.S))))


def source_texts(debs):
    texts = {}
    for family, package, files in SOURCES:
        for path in sorted((debs / package).glob(files)):
            if path.is_symlink() or not path.is_file() or path.suffix in (".u8", ".dat"):
                continue
            data = path.read_bytes()
            if path.suffix == ".gz":
                data = gzip.decompress(data)
            try:
                text = data.decode()
            except UnicodeDecodeError:
                continue
            texts.setdefault(family, []).append(text)
    for family, parts in texts.items():
        yield family, "".join(parts)


def halves(text):
    """The two halves of what is looked at of a text, cut between lines."""
    text = text.encode()[:ENOUGH].decode(errors="ignore")
    middle = len(text) // 2
    cut = text.find("\n", middle, middle + WINDOW) + 1 or middle
    return text[:cut], text[cut:]


def all_windows(text):
    """Windows of at most WINDOW bytes, one after the other, that cut no character."""
    data, out, at = text.encode(), [], 0
    while at < len(data):
        piece = data[at:at + WINDOW].decode(errors="ignore")
        at += len(piece.encode())
        out.append(piece)
    if out and len(out[-1].encode()) < WINDOW // 2:
        out.pop()
    return out


def windows(text):
    """Some of them: WINDOWS at most, evenly over the text."""
    out = all_windows(text)
    return out if len(out) <= WINDOWS else [out[i * len(out) // WINDOWS] for i in range(WINDOWS)]


def rest(text):
    """The others."""
    return [window for window in all_windows(text) if window not in set(windows(text))]


def texts(debs, declarations):
    """(family, text), in a fixed order."""
    for kind, found in (("help", help_texts(debs)), ("rights", rights_texts(declarations))):
        for language, text in found:
            yield f"{kind} {language}", unicodedata.normalize("NFC", text)
            if language in DECOMPOSED[kind]:
                yield f"{kind} {language} nfd", unicodedata.normalize("NFD", text)
    yield from source_texts(debs)


def families(debs, declarations):
    """(family, windows to fit on, windows to measure with, more of those), in a fixed order."""
    for family, text in texts(debs, declarations):
        fit, held = halves(text)
        yield family, [] if family in NOT_FITTED else windows(fit), windows(held), rest(held)
    for family, write in generated.FAMILIES.items():
        yield family, *(windows("".join(write(f"{family}, {part}"))) for part in ("fit", "held-out", "rest"))
