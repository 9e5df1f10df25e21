"""Weights that are never negative and make relative errors small.

Knows rows of counts and what they should come to. Least squares of the relative error, reweighted toward least absolute
error; every family of rows weighs the same, and underestimates weigh more than overestimates: a budget that reserves too
little is overrun.
"""

from collections import Counter

ROUNDS = 40
SOFTEN = 0.05        # errors below this are as good as none: keeps the reweighting from chasing single windows
UNDERESTIMATE = 1.6  # how much more an underestimate weighs
TOO_LOW = 0.12       # from here on underestimates come near the margin of the reserve (a fifth)
STEEP = 3
EXPECTED = 0.1       # what an expectation weighs, beside a family


def severity(error):
    """How much more an error weighs than an overestimate of its size; most where a reserve would not cover it."""
    return 1.0 if error > 0 else UNDERESTIMATE * max(1.0, -error / TOO_LOW) ** STEEP


def equations(rows, wanted, weight_of, expected):
    """The normal equations of the weighted relative error. An expectation is one more row: its column alone."""
    n = len(rows[0])
    matrix, vector = [[0.0] * n for _ in range(n)], [0.0] * n
    for row, target, weight in zip(rows, wanted, weight_of):
        present = [(i, x / target) for i, x in enumerate(row) if x]
        for i, x in present:
            line, scaled = matrix[i], x * weight
            vector[i] += scaled
            for j, y in present:
                line[j] += scaled * y
    for i, tokens in expected.items():
        matrix[i][i] += EXPECTED / tokens ** 2
        vector[i] += EXPECTED / tokens
    return matrix, vector


def descend(matrix, vector, start, floors):
    """Coordinate descent: each weight in turn takes its best value, its floor at least."""
    n, solution = len(vector), list(start)
    for _ in range(3000):
        moved = 0.0
        for i in range(n):
            if matrix[i][i] <= 0:
                continue
            line = matrix[i]
            rest = sum(line[j] * solution[j] for j in range(n)) - line[i] * solution[i]
            better = max(floors.get(i, 0.0), (vector[i] - rest) / line[i])
            moved = max(moved, abs(better - solution[i]))
            solution[i] = better
        if moved < 1e-6:
            break
    return solution


def fit(rows, wanted, families, expected, floors):
    """One weight for each column of `rows`, so that each row's sum comes near its `wanted`. By column, `expected` has what
    a weight is where the rows do not tell, and `floors` what it is at least (0 where nothing is said)."""
    size = Counter(families)
    share = [1 / size[family] for family in families]
    solution, weight_of = [0.0] * len(rows[0]), share
    for _ in range(ROUNDS):
        solution = descend(*equations(rows, wanted, weight_of, expected), solution, floors)
        errors = [sum(w * x for w, x in zip(solution, row)) / target - 1 for row, target in zip(rows, wanted)]
        weight_of = [s * severity(e) / max(abs(e), SOFTEN) for s, e in zip(share, errors)]
    return solution
