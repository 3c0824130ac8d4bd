"""Scores converted CSV files by the measures of the Pollock benchmark (HPI, VLDB 2023).

    python pollock.py --data FOLDER --converted FOLDER [--json FILE] [--worst N]

`--data` holds `csv/` and `clean/`; `--converted` holds `NAME_converted.csv` for each `csv/NAME`, in UTF-8
with commas and double quotes. A file that is missing or begins with `Application Error` has failed.

Each file gets ten figures from 0 to 1: success, and precision, recall and F1 of the header, the records
and the cells, all as multisets; a file that has failed gets ten zeros. Cells of headers and records are
compared by what they mean (`1.0` is `1.00`), single cells as they are written. The simple score is the
mean over files of the sum of the ten; the weighted score counts a kind of pollution as often as the
benchmark's survey meets it.
"""

import argparse
import csv
import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from dateutil import parser as dates
from price_parser import Price

FAILED = "Application Error"
PARTS = ("header", "record", "cell")
MEASURES = ("success", *(f"{part}_{kind}" for part in PARTS for kind in ("precision", "recall", "f1")))
# Parts of a date that a cell does not name: fixed, so that a score does not depend on the day.
FIXED = datetime(2024, 1, 1)
TIMES = ("%H:%M", "%H:%M:%S", "%H %M", "%H %M %S", "%H", "%H%M", "%H%M%S")

FILE_WEIGHTS = {
    "source": 1,
    "file_no_payload": 15,
    "file_no_trailing_newline": 184,
    "file_double_trailing_newline": 5,
    "file_no_header": 470,
    "file_header_multirow_2": 47,
    "file_header_multirow_3": 47,
    "file_preamble": 282,
    "file_multitable_same": 188 / 3,
    "file_multitable_more": 188 / 3,
    "file_multitable_less": 188 / 3,
    "file_header_only": 3,
    "file_one_data_row": 4,
    "file_record_delimiter_0xD": 7,
    "file_record_delimiter_0xA": 1691,
    "file_field_delimiter_0x9": 4,
    "file_field_delimiter_0x3B": 834,
    "file_field_delimiter_0x20": 4,
    "file_field_delimiter_0x2C_0x20": 101,
    "file_quotation_char_0x27": 11,
    "file_escape_char_0x5C": 1,
    "file_escape_char_0x00": 7,
}
ROW_WEIGHTS = {
    "row_less_sep": 0.36775106082036774,
    "row_more_sep": 0.36775106082036774,
    "row_field_delimiter": 1 / 7,
    "row_extra_quote": 1 / 108,
}


class Words(dates.parserinfo):
    JUMP = [" ", ".", ",", ";", "-", "/", "'"]


WORDS = Words()


def boolean(cell: str) -> str:
    word = {"True": "1", "true": "1", "False": "0", "false": "0"}.get(cell)
    if word is not None:
        return word
    number = int(cell)
    if number not in (0, 1):
        raise ValueError(cell)
    return str(bool(number))


def time(cell: str) -> str:
    for form in TIMES:
        try:
            return str(datetime.strptime(cell, form).time())
        except ValueError:
            pass
    raise ValueError(cell)


def moment(cell: str) -> str:
    return str(dates.parse(cell, parserinfo=WORDS, default=FIXED))


def amount(cell: str) -> str:
    price = Price.fromstring(cell)
    if not price.currency or price.amount is None:
        raise ValueError(cell)
    return price.currency + str(price.amount_float)


KINDS: tuple[Callable[[str], str], ...] = (
    boolean, lambda cell: str(int(cell)), lambda cell: str(float(cell)), time, moment, amount,
)


@lru_cache(maxsize=None)
def meaning(cell: str) -> str:
    """The value of a cell by the first kind that reads it, or its text in lower case."""
    if cell == "" or cell.isspace():
        return cell.lower()
    for kind in KINDS:
        try:
            return kind(cell)
        except (ValueError, OverflowError, TypeError, ArithmeticError):
            pass
    return cell.lower()


def rows(path: Path) -> list[list[str]]:
    """A table with every end of a line as `\\n`, also within cells, as the benchmark reads it."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        return list(csv.reader(file, delimiter=",", quotechar='"', doublequote=True))


def agreement(source: list[str], loaded: list[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of two multisets."""
    if not source:
        return 1.0, 1.0, 1.0
    shared = (Counter(source) & Counter(loaded)).total()
    if shared == 0:
        return 0.0, 0.0, 0.0
    precision, recall = shared / len(source), shared / len(loaded)
    return precision, recall, 2 * precision * recall / (precision + recall)


def header(table: list[list[str]]) -> list[str]:
    return [meaning(cell) for cell in table[0]] if table else []


def records(table: list[list[str]]) -> list[str]:
    return ["".join(meaning(cell) for cell in row) for row in table[1:]]


def cells(table: list[list[str]]) -> list[str]:
    return [cell for row in table for cell in row]


def failed(path: Path) -> bool:
    if not path.exists():
        return True
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        return file.readline().strip() == FAILED


def measures(clean: Path, converted: Path) -> list[float]:
    """The ten figures of a file; a clean file without rows asks for nothing but success."""
    if failed(converted):
        return [0.0] * len(MEASURES)
    source = rows(clean)
    if not source:
        return [1.0] * len(MEASURES)
    loaded = rows(converted)
    found = [1.0]
    for part in (header, records, cells):
        found += agreement(part(source), part(loaded))
    return found


def family(name: str) -> str:
    """The kind of pollution that a file's name tells."""
    stem = name.removesuffix(".csv")
    return next((kind for kind in ROW_WEIGHTS if stem.startswith(kind)), stem)


def weight(name: str) -> float:
    return (FILE_WEIGHTS | ROW_WEIGHTS)[family(name)]


def scores(found: dict[str, list[float]]) -> dict[str, float]:
    weights = {name: weight(name) for name in found}
    weighted = sum(sum(figures) * weights[name] for name, figures in found.items())
    return {
        "simple": sum(map(sum, found.values())) / len(found),
        "weighted": weighted / sum(weights.values()),
        "success": sum(figures[0] for figures in found.values()),
    }


def families(found: dict[str, list[float]]) -> dict[str, dict]:
    """What a table says of each kind of pollution, its worst file included."""
    grouped: dict[str, list[str]] = {}
    for name in found:
        grouped.setdefault(family(name), []).append(name)
    answer = {}
    for kind, names in sorted(grouped.items()):
        worst = min(names, key=lambda name: sum(found[name]))
        means = [sum(column) / len(names) for column in zip(*(found[name] for name in names))]
        answer[kind] = {
            "files": len(names), "score": sum(means), "measures": dict(zip(MEASURES, means)),
            "worst": worst, "worst_score": sum(found[worst]),
        }
    return answer


def table(kinds: dict[str, dict]) -> str:
    lines = ["| class | files | score of 10 | header F1 | record F1 | cell F1 | worst file | its score |",
             "|---|---:|---:|---:|---:|---:|---|---:|"]
    for kind, found in kinds.items():
        f1 = " | ".join(f"{found['measures'][f'{part}_f1']:.3f}" for part in PARTS)
        lines.append(f"| {kind} | {found['files']} | {found['score']:.3f} | {f1} | {found['worst']} "
                     f"| {found['worst_score']:.3f} |")
    return "\n".join(lines)


def worst_table(found: dict[str, list[float]], count: int) -> str:
    names = sorted(found, key=lambda name: (sum(found[name]), name))[:count]
    lines = ["| file | score | " + " | ".join(name.replace("_", " ") for name in MEASURES) + " |",
             "|---|" + "---:|" * (len(MEASURES) + 1)]
    for name in names:
        figures = " | ".join(f"{value:.3f}" for value in found[name])
        lines.append(f"| {name} | {sum(found[name]):.3f} | {figures} |")
    return "\n".join(lines)


def score(data: Path, converted: Path) -> dict[str, list[float]]:
    csv.field_size_limit(sys.maxsize)
    warnings.simplefilter("ignore")  # words that look like time zones
    names = sorted(path.name for path in (data / "csv").iterdir())
    return {name: measures(data / "clean" / name, converted / f"{name}_converted.csv") for name in names}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--converted", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worst", type=int, default=0, metavar="N")
    args = parser.parse_args()
    found = score(args.data, args.converted)
    total, kinds = scores(found), families(found)
    print(table(kinds))
    if args.worst:
        print(f"\n{worst_table(found, args.worst)}")
    print(f"\n{len(found)} files, {total['success']:.0f} converted: simple score {total['simple']:.4f}, "
          f"weighted score {total['weighted']:.4f}")
    if args.json:
        files = {name: dict(zip(MEASURES, figures)) for name, figures in found.items()}
        args.json.write_text(json.dumps(total | {"classes": kinds, "files": files}, indent=1))


if __name__ == "__main__":
    main()
