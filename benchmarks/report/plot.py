# SPDX-License-Identifier: BSD-3-Clause
"""An SVG of rate over buffersize, a panel for each workload measured at three or more of them."""

import html
import math

from rows import WORKLOADS, quartiles

SERIES = {  # reference -> (label, colour); drawn in this order, fmap on top
    "ideal": ("ideal", "#8c8c8c"),
    "caf": ("CAF, no batches", "#9467bd"),
    "asio": ("asio + semaphore", "#bc8f00"),
    "threads": ("threads + queues", "#2c8c5a"),
    "tbb": ("oneTBB", "#5b9bd5"),
    "chunked": ("oneTBB, best chunk", "#1f4e9c"),
    "fmap": ("fmap", "#d6311f"),
}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 470, 340, 62, 132, 40, 48  # of a panel and its margins


def draw(rows):
    panels = {}
    for row in rows:
        panels.setdefault(row.workload, []).append(row)
    panels = {w: r for w, r in panels.items() if len(r) > 2}
    if not panels:
        return None
    body = [panel(w, r, i * WIDTH) for i, (w, r) in enumerate(panels.items())]
    width = WIDTH * len(panels)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>', *body, "</svg>", ""])


def panel(workload, rows, offset):
    curves = {}
    for name in SERIES:
        points = [(i, quartiles(list(row.values(row.resolve(name)).values())))
                  for i, row in enumerate(rows) if row.resolve(name)]
        if points:
            curves[name] = points
    rates = [rate for points in curves.values() for _, q in points for rate in q]
    low, high = bounds(min(rates), max(rates))

    def x(i):
        return offset + LEFT + (WIDTH - LEFT - RIGHT) * (i + 0.15) / (len(rows) - 0.7)

    def y(rate):
        part = (math.log(rate) - math.log(low)) / (math.log(high) - math.log(low))
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    title = WORKLOADS[workload] + ": items/s"
    out = [text(offset + LEFT, 22, title, 'font-size="14" font-weight="bold"'),
           text((x(0) + x(len(rows) - 1)) / 2, HEIGHT - 12, "buffersize", 'text-anchor="middle"')]
    for rate in ticks(low, high):
        out.append(f'<line x1="{offset + LEFT}" x2="{offset + WIDTH - RIGHT}" y1="{y(rate):.1f}" '
                   f'y2="{y(rate):.1f}" stroke="#e4e4e4"/>')
        out.append(text(offset + LEFT - 8, y(rate) + 4, short(rate), 'text-anchor="end"'))
    for i, row in enumerate(rows):
        out.append(text(x(i), HEIGHT - BOTTOM + 18, str(row.buffersize), 'text-anchor="middle"'))
    for name, points in curves.items():
        out += curve(name, [(x(i), *map(y, q)) for i, q in points])
    ends = {name: y(points[-1][1][1]) for name, points in curves.items()}
    for name, height in apart(ends).items():
        weight = ' font-weight="bold"' if name == "fmap" else ""
        out.append(text(x(len(rows) - 1) + 12, height + 4, SERIES[name][0],
                        f'fill="{SERIES[name][1]}"{weight}'))
    return "\n".join(out)


def curve(name, points):
    """The medians joined, with a bar from quartile to quartile at each."""
    colour = SERIES[name][1]
    style = f'stroke="{colour}" stroke-width="{3 if name == "fmap" else 1.5}"'
    if name == "ideal":
        style += ' stroke-dasharray="5 4"'
    line = " ".join(f"{px:.1f},{middle:.1f}" for px, _, middle, _ in points)
    yield f'<polyline points="{line}" fill="none" {style}/>'
    if name != "ideal":
        for px, low, middle, high in points:
            yield f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{low:.1f}" y2="{high:.1f}" {style}/>'
            yield f'<circle cx="{px:.1f}" cy="{middle:.1f}" r="3" fill="{colour}"/>'


def text(x, y, content, attributes):
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{html.escape(content)}</text>'


def ticks(low, high):
    """1, 10, 100 ... or, where that is too few, 1, 2, 5, 10 ..."""
    steps = (1,) if high / low >= 100 else (1, 2, 5)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [t for d in decades for t in (s * 10.0**d for s in steps)
            if low / 1.001 <= t <= high * 1.001]


def bounds(low, high):
    """A little room, and at least a factor of three."""
    low, high = low / 1.15, high * 1.15
    widen = max(1.0, math.sqrt(3 * low / high))
    return low / widen, high * widen


def short(rate):
    for unit, size in ((" G", 1e9), (" M", 1e6), (" k", 1e3)):
        if rate >= size:
            return f"{rate / size:g}{unit}"
    return f"{rate:g}"


def apart(heights, distance=15):
    """Moves labels so that none overlaps the next, and all of them up if they leave the panel."""
    placed, last = {}, -math.inf
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        last = placed[name] = max(height, last + distance)
    lift = max(0, last - (HEIGHT - BOTTOM))
    return {name: height - lift for name, height in placed.items()}
