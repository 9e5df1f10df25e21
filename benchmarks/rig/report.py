"""From the rounds' samples to figures: medians over rounds, ratios within a round. A table for people on stderr, JSON for
programs on stdout."""

import json
import statistics
import sys


class Report:
    def __init__(self, devices, ours="sluice", theirs="nginx"):
        self._devices, self._ours, self._theirs = devices, ours, theirs
        self._samples = {}  # figure -> device -> one value a round
        self._bars = []

    def add(self, figure, device, value):
        self._samples.setdefault(figure, {}).setdefault(device, []).append(value)

    def median(self, figure, device):
        values = self._samples.get(figure, {}).get(device)
        return statistics.median(values) if values else None

    def ratio(self, figure, device=None):
        """The median of the rounds' ratios to the other's: what drifts from round to round drifts for both."""
        mine, other = (self._samples.get(figure, {}).get(device) for device in (device or self._ours, self._theirs))
        if not mine or not other:
            return None
        ratios = [a / b for a, b in zip(mine, other) if b > 0]
        return statistics.median(ratios) if ratios else None

    def bar(self, what, value, limit):
        """A promise: `value` at most `limit`. A value that could not be measured is left out."""
        if value is not None:
            self._bars.append({"bar": what, "value": round(value, 3), "limit": limit, "kept": value <= limit})

    def figures(self):
        out = {}
        for figure in self._samples:
            row = {device: round(self.median(figure, device), 2) for device in self._devices if self.median(figure, device) is not None}
            ratio = self.ratio(figure)
            if ratio is not None:
                row["ratio"] = round(ratio, 3)
            out[figure] = row
        return out

    def write(self, **about):
        figures = self.figures()
        width = max(map(len, figures), default=10) + 2
        columns = [*self._devices, *(["ratio"] if any("ratio" in row for row in figures.values()) else [])]
        line = lambda cells: print("".join(cells), file=sys.stderr)
        line(["figure".ljust(width), *(column.rjust(14) for column in columns)])
        for name, row in figures.items():
            line([name.ljust(width), *((f"{row[c]:,.3f}" if c == "ratio" else f"{row[c]:,.1f}").rjust(14) if c in row else "-".rjust(14) for c in columns)])
        for bar in self._bars:
            line([f"{'kept  ' if bar['kept'] else 'MISSED'}  {bar['bar']}: {bar['value']:,.2f} (at most {bar['limit']:,})"])
        print(json.dumps({**about, "figures": figures, "bars": self._bars}, indent=2))
        return all(bar["kept"] for bar in self._bars)


def say(text):
    print(text, file=sys.stderr, flush=True)
