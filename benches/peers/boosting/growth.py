"""How fattail's training time grows with rows, columns, trees and threads: a table and a picture."""

from collections.abc import Callable
from math import log
from pathlib import Path
from statistics import median

ROWS = (20_000, 40_000, 80_000, 160_000, 320_000)
COLUMNS = (63, 125, 250, 500)
TREES = (25, 50, 100, 200)
THREADS = (1, 2)
WIDTH, HEIGHT, MARGIN, GAP = 250, 220, 46, 18


def answer(train: Callable, plan: dict, rounds: int, picture: Path) -> str:
    """Measures, draws, and tells the slopes on logarithmic scales: 1 is linear."""
    axes = {
        "rows": [(rows, {"rows": rows}, 2) for rows in ROWS],
        "columns": [(columns, {"columns": columns}, 2) for columns in COLUMNS],
        "trees": [(trees, {"trees": trees}, 2) for trees in TREES],
        "threads": [(threads, {}, threads) for threads in THREADS],
    }
    found = {}
    for name, points in axes.items():
        found[name] = []
        for x, change, threads in points:
            seconds = [train("growth", plan | change, threads)["train"] for _ in range(rounds)]
            found[name].append((x, median(seconds)))
    picture.write_text(draw(found))
    lines = ["| grows with | from | to | seconds | to the power of |", "| --- | --- | --- | --- | --- |"]
    for name, points in found.items():
        took = ", ".join(f"{y:.3f}" for _, y in points)
        lines.append(f"| {name} | {points[0][0]:,} | {points[-1][0]:,} | {took} | {slope(points):.2f} |")
    text = ("**growth of fattail's training time** from 160,000 x 500, 100 trees, 2 threads; each axis "
            "alone, both scales logarithmic, the line through the largest is linear growth")
    return f"{text}\n\n![growth of training time]({picture.name})\n\n" + "\n".join(lines)


def slope(points: list[tuple[int, float]]) -> float:
    """The exponent between the first and the last point."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    return log(y1 / y0) / log(x1 / x0)


def draw(found: dict[str, list[tuple[int, float]]]) -> str:
    """Four panels beside each other."""
    width = len(found) * (WIDTH + GAP) + GAP
    panels = [panel(name, points, GAP + at * (WIDTH + GAP)) for at, (name, points) in enumerate(found.items())]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11" fill="#333">\n'
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>\n' + "\n".join(panels) + "\n</svg>\n"
    )


def panel(name: str, points: list[tuple[int, float]], left: int) -> str:
    xs, ys = [log(x) for x, _ in points], [log(y) for _, y in points]
    sign = -1 if name == "threads" else 1
    line = [ys[-1] + sign * (x - xs[-1]) for x in xs]
    low, high = min(ys + line), max(ys + line)

    def place(x: float, y: float) -> tuple[float, float]:
        across = left + MARGIN + (x - xs[0]) / (xs[-1] - xs[0]) * (WIDTH - MARGIN - 14)
        return across, HEIGHT - 36 - (y - low) / ((high - low) or 1) * (HEIGHT - 70)

    def path(values: list[float]) -> str:
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in map(place, xs, values))

    parts = [f'<text x="{left + WIDTH / 2:.0f}" y="16" text-anchor="middle" font-size="13">{name}</text>',
             f'<polyline points="{path(line)}" fill="none" stroke="#bbb" stroke-dasharray="4 3"/>',
             f'<polyline points="{path(ys)}" fill="none" stroke="#1565c0" stroke-width="2"/>']
    for (x, seconds), lx, ly in zip(points, xs, ys):
        a, b = place(lx, ly)
        label = f"{x // 1000}k" if x >= 10_000 else f"{x}"
        parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="#1565c0"/>')
        parts.append(f'<text x="{a:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{label}</text>')
        parts.append(f'<text x="{a - 6:.1f}" y="{b - 6:.1f}" text-anchor="end">{seconds:.2g} s</text>')
    return "\n".join(parts)
