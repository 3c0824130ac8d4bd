"""Kills an ingest at random moments and lets another one finish its work.

    python kill.py PROGRAM FILE [--times 50] [--seed 1] [--memory 64MiB] [--scratch FOLDER]

Each time a run is killed with SIGKILL after a random part of the time that a whole run takes, now and then a
second and a third one too, and then one is left to its end. Between kills nothing may stand under a final
name; in the end every file has to be the one of a run that nobody disturbed, byte for byte.
"""

import argparse
import hashlib
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def start(args: argparse.Namespace, out: Path) -> subprocess.Popen:
    words = [args.program, args.file, "--out", out, "--max-memory", args.memory, "--threads", "2"]
    return subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL)


def whole(args: argparse.Namespace, out: Path) -> float:
    begun = time.perf_counter()
    assert start(args, out).wait() == 0, "a run fails"
    return time.perf_counter() - begun


def sums(out: Path) -> dict[str, str]:
    files = [path for path in sorted(out.iterdir()) if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def killed(args: argparse.Namespace, out: Path, seconds: float, expected: dict[str, str]) -> bool:
    """Whether a run was killed before its end; nothing unfinished may have a final name."""
    child = start(args, out)
    try:
        child.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if out.exists():
        for path in out.iterdir():
            final = not path.name.startswith(".")
            assert not final or sums(out)[path.name] == expected[path.name], f"{path.name} is half done"
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", default="64MiB")
    parser.add_argument("--scratch", type=Path)
    args = parser.parse_args()
    dice = random.Random(args.seed)
    scratch = Path(tempfile.mkdtemp(dir=args.scratch))
    try:
        seconds = whole(args, scratch / "whole")
        expected = sums(scratch / "whole")
        kills = taken_up = 0
        while kills < args.times:
            out = scratch / "again"
            while killed(args, out, dice.uniform(0, seconds), expected):
                kills += 1
                if dice.random() < 0.7:
                    break
            taken_up += (out / f".ingest-{args.file.stem}" / "journal").exists()
            whole(args, out)
            assert sums(out) == expected, "a run that was taken up ends otherwise"
            assert len(list(out.iterdir())) == len(expected), "a run leaves its work"
            shutil.rmtree(out)
        print(f"{kills} kills within runs of {seconds:.2f} s, {taken_up} of them taken up: every output is the same")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
