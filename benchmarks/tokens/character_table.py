"""Writes lib/chat/character_table.hpp: what each character is to the patterns of byte-pair encodings, by its general category.

Knows Unicode's categories; must not know patterns. The version is the one of unicodedata2 in requirements.txt: that of the
tokenizers the counts are judged by (tests/clients/exact_tokens.py), which Python's own unicodedata is behind.
"""

from pathlib import Path

import unicodedata2

BLOCK = 128
LAST = 0x323B0  # no letter, mark or number above, but for the variation selectors that the reader of the table knows
SPACES = {9, 11, 12, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
SELECTORS = range(0xE0100, 0xE01F0)
ROW = 60  # indices a line

HEAD = '''#pragma once
/// What each character is to the patterns of byte-pair encodings: its general category, as far as they ask for it.
/// Written by `bash benchmarks/tokens/run.sh --characters` from Unicode {version}; change nothing by hand.
/// Knows characters alone; must not know the patterns: chat/pretokens does.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::chat {{

/// `U` capital (Lu, Lt), `l` small (Ll), `o` another letter (Lm, Lo), `m` mark, `n` number, `s` white space, `r` CR or LF,
/// `.` anything else. {count} different blocks of {block} characters.
inline constexpr std::array<std::string_view, {count}> kCharacterBlocks = {{
'''

MIDDLE = '''}};

/// Which of them stands for the characters from {block} x i on, two letters each: `aa` is 0, `ab` 1, `ba` 26. What is
/// above is anything else, but for the marks U+E0100..U+E01EF.
inline constexpr std::size_t kCharacterIndices = {count};
inline constexpr std::string_view kCharacterIndex =
'''


def kind(code_point):
    if code_point in (10, 13):
        return "r"
    if code_point in SPACES:
        return "s"
    category = unicodedata2.category(chr(code_point))
    return {"Lu": "U", "Lt": "U", "Ll": "l", "Lm": "o", "Lo": "o"}.get(category, {"M": "m", "N": "n"}.get(category[0], "."))


def write(path):
    kinds = "".join(map(kind, range(0x110000)))
    end = (LAST + BLOCK - 1) // BLOCK * BLOCK
    odd = [i for i in range(end, 0x110000) if kinds[i] != ("m" if i in SELECTORS else ".")]
    if odd:
        raise SystemExit(f"U+{odd[0]:X} is above the table and is no sign: raise LAST")
    blocks, index = {}, []
    for at in range(0, end, BLOCK):
        index.append(blocks.setdefault(kinds[at:at + BLOCK], len(blocks)))
    letters = [chr(97 + i // 26) + chr(97 + i % 26) for i in index]
    rows = ["".join(letters[i:i + ROW]) for i in range(0, len(letters), ROW)]
    text = HEAD.format(version=unicodedata2.unidata_version, count=len(blocks), block=BLOCK)
    text += "".join(f'    "{block}",\n' for block in blocks)
    text += MIDDLE.format(block=BLOCK, count=len(index))
    text += "\n".join(f'    "{row}"' for row in rows) + ";\n\n}  // namespace sluice::chat\n"
    path.write_text(text)


if __name__ == "__main__":
    write(Path(__file__).resolve().parents[2] / "lib/chat/character_table.hpp")
