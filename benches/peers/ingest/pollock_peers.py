"""Converts the polluted files of the Pollock benchmark with other CSV readers.

    python pollock_peers.py SYSTEM --data FOLDER --out FOLDER

Writes `OUT/NAME_converted.csv` for each `DATA/csv/NAME`, as `pollock.py` reads them. A reader finds
everything out by itself, with the settings that make it the most forgiving; where it gives up, the file
says `Application Error`.
"""

import argparse
import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path

FAILED = "Application Error\n"


def write(out: Path, rows) -> None:
    with open(out, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def sniffer(path: Path, out: Path) -> None:
    """Python's `csv` with the dialect that its Sniffer tells, or the usual one where it tells none."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    try:
        dialect = csv.Sniffer().sniff(text)
    except csv.Error:
        dialect = csv.excel
    write(out, list(csv.reader(io.StringIO(text, newline=""), dialect)))


def pandas(path: Path, out: Path) -> None:
    import pandas as pd

    pd.read_csv(path, dtype=str, on_bad_lines="skip").to_csv(out, index=False)


def pandas_plain(path: Path, out: Path) -> None:
    """pandas without any setting."""
    import pandas as pd

    pd.read_csv(path).to_csv(out, index=False)


def duckdb(path: Path, out: Path, more: str = "") -> None:
    import duckdb as db

    # Its parallel reader refuses null_padding where a quote runs over a line.
    forgiving = "strict_mode=False, ignore_errors=True, null_padding=True, parallel=False"
    read = f"read_csv('{path}', {forgiving}{more})"
    with db.connect() as connection:
        connection.sql(f"COPY (FROM {read}) TO '{out}' (FORMAT csv, HEADER)")


def duckdb_text(path: Path, out: Path) -> None:
    """DuckDB without types, which keeps cells as they are written."""
    duckdb(path, out, ", all_varchar=True")


def pyarrow(path: Path, out: Path) -> None:
    from pyarrow import csv as arrow

    skip = arrow.ParseOptions(invalid_row_handler=lambda _row: "skip")
    arrow.write_csv(arrow.read_csv(path, parse_options=skip), out)


def polars(path: Path, out: Path) -> None:
    import polars as pl

    frame = pl.read_csv(path, infer_schema=False, ignore_errors=True, truncate_ragged_lines=True)
    frame.write_csv(out)


SYSTEMS: dict[str, Callable[[Path, Path], None]] = {
    "sniffer": sniffer,
    "pandas": pandas,
    "pandas-plain": pandas_plain,
    "duckdb": duckdb,
    "duckdb-text": duckdb_text,
    "pyarrow": pyarrow,
    "polars": polars,
}


def convert(system: str, path: Path, out: Path) -> bool:
    """Whether the system reads the file; what it raises is its own affair."""
    try:
        SYSTEMS[system](path, out)
        return True
    except Exception as error:
        print(f"{path.name}: {str(error).splitlines()[:1]}", file=sys.stderr)
        out.write_text(FAILED)
        return False


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    paths = sorted((args.data / "csv").iterdir())
    done = sum(convert(args.system, path, args.out / f"{path.name}_converted.csv") for path in paths)
    print(f"{args.system}: {done} of {len(paths)} files converted")


if __name__ == "__main__":
    main()
