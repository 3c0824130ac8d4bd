"""Conversions of a CSV file to Parquet, system after system in turn, each in a fresh process.

    python speed.py FILE [--ours PROGRAM] [--rounds 3] [--compression zstd] [--systems NAME ...]
                    [--lenient] [--scratch FOLDER] [--json FILE]

Every system gets two threads and two processors, and the file is read once beforehand, so that it lies
in the page cache. Of a peer the conversion alone is timed, of `--ours` the whole process. Processor seconds
(user and system) and peak memory are those of the whole process; the latter is at least what this script
itself holds when it starts one. On a busy machine the clock tells what others did, too.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
PEER = [sys.executable, str(HERE / "peer.py")]
PEERS = ("pyarrow", "pyarrow-stream", "pyarrow-dataset", "polars", "duckdb")
USUAL = ("pyarrow", "polars", "duckdb")
OURS = "ours"
THREADS = 2


def command(system: str, args: argparse.Namespace, out: Path) -> list[str]:
    if system == OURS:
        # The one place that knows our command line.
        return [str(args.ours), str(args.file), "--out", str(out),
                "--threads", str(THREADS), "--policy", "repair"]  # fmt: skip
    words = [*PEER, system, str(args.file), str(out / "out.parquet"), args.compression]
    return words + (["--lenient"] if args.lenient else [])


def limits() -> dict[str, str]:
    pools = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "POLARS_MAX_THREADS", "ARROW_IO_THREADS")
    return dict.fromkeys(pools, str(THREADS))


def run(words: list[str]) -> dict | None:
    """Seconds of the clock and the processor and the peak of memory of a process, or none where it fails."""
    start = time.perf_counter()
    child = subprocess.Popen(words, env=os.environ | limits(), stdout=subprocess.PIPE, text=True)
    answer = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        return None
    processor = usage.ru_utime + usage.ru_stime
    return {"answer": answer, "seconds": seconds, "processor": processor, "peak": usage.ru_maxrss * 1024}


def measure(system: str, args: argparse.Namespace) -> dict | None:
    """One conversion; what it wrote is counted and removed."""
    print(system, file=sys.stderr)
    out = Path(tempfile.mkdtemp(dir=args.scratch))
    try:
        found = run(command(system, args, out))
        if found is None:
            return None
        if system != OURS:
            found |= json.loads(found["answer"].splitlines()[-1])
        found["written"] = sum(path.stat().st_size for path in out.rglob("*.parquet"))
        rows = subprocess.run([*PEER, "rows", str(out)], capture_output=True, text=True, check=True)
        found["rows"] = int(rows.stdout)
        del found["answer"]
        return found
    finally:
        shutil.rmtree(out)


def ask(systems: list[str], args: argparse.Namespace) -> dict[str, dict | None]:
    """The medians of each system; none where it fails in any round."""
    seen: dict[str, list[dict | None]] = {system: [] for system in systems}
    for _ in range(args.rounds):
        for system in systems:
            if None not in seen[system]:
                seen[system].append(measure(system, args))
    return {
        system: None if None in all_of else {
            field: median(one[field] for one in all_of) for field in all_of[0]
        }
        for system, all_of in seen.items()
    }  # fmt: skip


def table(found: dict[str, dict | None], size: int) -> str:
    ours = found.get(OURS)
    lines = ["| system | median | MB/s of CSV | processor | peak memory | Parquet | rows | our time / its |",
             "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for system, its in found.items():
        if its is None:
            lines.append(f"| {system} | failed | | | | | | |")
            continue
        ratio = f"{ours['seconds'] / its['seconds']:.3f}" if ours else ""
        lines.append(
            f"| {system} | {its['seconds']:.3f} s | {size / its['seconds'] / 1e6:.0f} "
            f"| {its['processor']:.1f} s | {its['peak'] / 1e6:,.0f} MB | {its['written'] / 1e6:,.0f} MB | {its['rows']:,.0f} | {ratio} |"
        )
    return "\n".join(lines)


def beside_fastest(found: dict[str, dict | None]) -> str:
    peers = {system: its["seconds"] for system, its in found.items() if its and system != OURS}
    if not found.get(OURS) or not peers:
        return ""
    fastest = min(peers, key=peers.__getitem__)
    return f"\nOurs takes {found[OURS]['seconds'] / peers[fastest]:.3f} of the time of the fastest, {fastest}."


def warm(path: Path) -> None:
    buffer = bytearray(1 << 20)
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--ours", type=Path, metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compression", choices=("zstd", "snappy", "none"), default="zstd")
    parser.add_argument("--systems", nargs="*", choices=PEERS, default=USUAL)
    parser.add_argument("--lenient", action="store_true", help="peers forgive what they can")
    parser.add_argument("--scratch", type=Path, help="where the Parquet files go; removed afterwards")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    warm(args.file)
    found = ask([*([OURS] if args.ours else []), *args.systems], args)
    size = args.file.stat().st_size
    print(f"{args.file.name}, {size / 1e6:,.0f} MB, {args.compression}, {args.rounds} rounds\n")
    print(table(found, size))
    print(beside_fastest(found))
    if args.json:
        args.json.write_text(json.dumps({"bytes": size, "compression": args.compression, "systems": found}))


if __name__ == "__main__":
    main()
