# SPDX-License-Identifier: BSD-3-Clause
"""The tables that scripts/bench prints, as Markdown that is also readable in a terminal."""

from rows import CPU, TARGETS, WORKLOADS, quartiles

COLUMNS = {  # reference -> heading
    "ideal": "ideal",
    "tbb": "oneTBB",
    "chunked": "oneTBB, best chunk",
    "loose": "best chunk, loose bound",
    "threads": "threads and queues",
    "asio": "asio and semaphore",
    "caf": "CAF, no batches",
    "stage": "a stage of fmap's",
}
NONE = "–"
NAMES = COLUMNS | {"unchunked": "best without chunks"}


def table(headings, lines):
    """Aligns the first column to the left, the others to the right; leaves out empty ones."""
    columns = [c for c in zip(headings, *lines) if any(cell != NONE for cell in c[1:])]
    headings, *lines = zip(*columns)
    widths = [max(len(line[i]) for line in [headings, *lines]) for i in range(len(headings))]

    def text(cells):
        return "| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w)
                                 for i, (c, w) in enumerate(zip(cells, widths))) + " |"

    rule = "|".join("-" * (w + 1) + ("-" if i == 0 else ":") for i, w in enumerate(widths))
    return "\n".join([text(headings), f"|{rule}|", *map(text, lines)])


def human(rate):
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if rate >= size:
            return f"{rate / size:.3g} {unit}"
    return f"{rate:.3g}"


def spread(values):
    """`2.31 (2.20 to 2.44)`: the median and the quartiles."""
    low, middle, high = (f"{v:.3g}" if v >= 10 else f"{v:.2f}" for v in quartiles(values))
    return f"{middle} ({low} to {high})"


def rates(rows):
    """Items a second, medians."""
    peers = ["fmap", "sequential", "independent", *COLUMNS]
    lines = []
    for row in rows:
        line = [WORKLOADS[row.workload], str(row.buffersize)]
        for peer in peers:
            found = row.resolve(peer)
            line.append(NONE if found is None else human(row.median(found)))
            if found and peer in ("chunked", "loose"):
                line[-1] += f" ({found.removeprefix('tbb-chunk').removeprefix('tbb-loose')})"
        lines.append(line)
    return table(["items/s", "B", *(NAMES.get(p, p) for p in peers)], lines)


def ratios(rows):
    """fmap over each peer, medians of the rounds' ratios and their quartiles."""
    lines = []
    for row in rows:
        values = [row.ratios(reference) for reference in COLUMNS]
        lines.append([WORKLOADS[row.workload], str(row.buffersize),
                      *(spread(v) if v else NONE for v in values)])
    return table(["fmap /", "B", *COLUMNS.values()], lines)


def remarks(rows):
    """What a reader must know to trust the numbers."""
    shares = [share for row in rows if row.workload == "cpu5us"
              for share in row.ratios("ideal", of="independent")]
    if shares and quartiles(shares)[1] < 0.9:
        yield (f"The machine was busy: loops that share nothing reached {quartiles(shares)[1]:.0%} "
               "of the ideal. Do not trust these numbers.")
    copies = sum(m.get("copies", 0) for row in rows for m in row.peers["fmap"].values())
    if copies:
        yield f"fmap copied items: {copies:.0f} in all. It should move them."


def targets(rows, judge):
    """One line for each target that was measured, and how many fall short."""
    lines, short = [], 0
    for target in TARGETS:
        for row in rows:
            if row.workload != target.workload or row.buffersize not in target.buffersizes:
                continue
            values = row.ratios(target.reference, target.quantity, target.of)
            if not values:
                continue
            met = quartiles(values)[1] >= target.at_least
            short += not met
            of = "" if target.of == "fmap" else f", {NAMES[target.of]}"
            than = NAMES[target.reference] + (", CPU per item" if target.quantity == CPU else "")
            lines.append([WORKLOADS[row.workload] + of, str(row.buffersize), than, spread(values),
                          f">= {target.at_least:g}"] + ["pass" if met else "short"] * judge)
    headings = ["target", "B", "against", "ratio (quartiles)", "wanted"] + ["verdict"] * judge
    return table(headings, lines) if lines else "", short, len(lines)
