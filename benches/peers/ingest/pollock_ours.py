"""Converts Pollock's files with our own program, for `pollock.py`.

    python pollock_ours.py PROGRAM --data DIR --converted DIR [--typed]

One run over the folder, nothing given but that cells stay as they are written; with `--typed` not even that:
numbers and days are then written as other programs would. Names are written where the program found some.
"""

import argparse
import csv
import json
import subprocess
import tempfile
from pathlib import Path

import pyarrow.parquet as pq


def convert(summary: dict, converted: Path) -> None:
    table = pq.read_table(summary["table"])
    name = Path(summary["input"]).name
    with open(converted / f"{name}_converted.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if summary["header"]:
            writer.writerow(table.column_names)
        columns = [column.to_pylist() for column in table.columns]
        for row in zip(*columns):
            writer.writerow("" if cell is None else cell for cell in row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--converted", type=Path, required=True)
    parser.add_argument("--typed", action="store_true")
    args = parser.parse_args()
    args.converted.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as out:
        told = Path(out) / "told.json"
        words = [args.program, args.data / "csv", "--out", Path(out) / "out", "--json", told]
        words += [] if args.typed else ["--text"]
        subprocess.run(list(map(str, words)), check=True, stdout=subprocess.DEVNULL)
        for summary in json.loads(told.read_text()):
            convert(summary, args.converted)


if __name__ == "__main__":
    main()
