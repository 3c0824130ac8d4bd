"""The page of benchmarks, of which each script writes a part between marks of its own."""

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent.parent / "docs" / "benchmarks.md"


def write(mark: str, title: str, text: str) -> None:
    """Replaces what stands between the marks; without them, adds a chapter."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    old = PAGE.read_text()
    if begin not in old:
        old = f"{old.rstrip()}\n\n## {title}\n\n{begin}\n{end}\n"
    before, rest = old.split(begin, 1)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")
