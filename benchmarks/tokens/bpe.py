"""Exact token counts: byte-pair encoding with published rank data.

Knows ranks and the pattern that cuts text into pieces; must not know where texts come from. Special tokens are not
looked for: text that spells one is text.
"""

import base64
import heapq

import regex

# As the vocabularies define them. Possessive quantifiers change no match here, only the time a miss takes.
PATTERNS = {
    "o200k": "|".join([
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"]),
    "cl100k": "|".join([
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"[^\r\n\p{L}\p{N}]?+\p{L}+", r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]++[\r\n]*",
        r"\s*[\r\n]", r"\s+(?!\S)", r"\s+"]),
}


class Counter:
    """Counts the tokens of texts in one vocabulary."""

    def __init__(self, vocabulary, rank_file):
        self.pattern = regex.compile(PATTERNS[vocabulary])
        self.ranks = {}
        for line in rank_file.read_bytes().splitlines():
            token, rank = line.split()
            self.ranks[base64.b64decode(token)] = int(rank)
        self.pieces = {}  # text repeats itself: counts of pieces seen before

    def count(self, text):
        return sum(self.count_piece(m.group().encode()) for m in self.pattern.finditer(text))

    def count_piece(self, piece):
        if piece in self.ranks:
            return 1
        known = self.pieces.get(piece)
        if known is None:
            known = self.pieces[piece] = self.merge(piece)
        return known

    def merge(self, piece):
        """Merges the pair of lowest rank, leftmost first, until none is left: a heap of pairs over a linked list."""
        size = len(piece)
        ends = list(range(1, size + 1))     # where the part that begins at i ends; 0: it was merged into another
        before = list(range(-1, size - 1))  # where the part before it begins
        heap = []

        def offer(i):
            if i >= 0 and (j := ends[i]) < size:
                rank = self.ranks.get(piece[i:ends[j]])
                if rank is not None:
                    heapq.heappush(heap, (rank, i, j, ends[j]))

        for i in range(size):
            offer(i)
        parts = size
        while heap:
            _, i, j, k = heapq.heappop(heap)
            if ends[i] != j or ends[j] != k:
                continue  # one of the two was merged meanwhile
            ends[i], ends[j] = k, 0
            if k < size:
                before[k] = i
            parts -= 1
            offer(before[i])
            offer(i)
        return parts
