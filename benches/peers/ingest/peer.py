"""One conversion of a CSV file to Parquet by a peer, in a process of its own.

    python peer.py SYSTEM FILE OUT COMPRESSION [--lenient]    prints a JSON line: seconds
    python peer.py rows FOLDER                                prints the rows of the Parquet files

Imports are not timed. Compression is `zstd` (level 1), `snappy` or `none`. `--lenient` is the setting
that forgives the most; without it the readers run as they come.
"""

import json
import sys
import time
import warnings
from pathlib import Path

THREADS = 2


def level(compression: str) -> int | None:
    return 1 if compression == "zstd" else None


def arrow_options(lenient: bool, block: int):
    from pyarrow import csv

    read = csv.ReadOptions(block_size=block)
    parse = csv.ParseOptions(invalid_row_handler=(lambda _: "skip") if lenient else None)
    return {"read_options": read, "parse_options": parse}


def pyarrow_stream(path: str, out: str, compression: str, lenient: bool):
    """Batch after batch; a batch becomes a row group."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv

    pa.set_cpu_count(THREADS)
    pa.set_io_thread_count(THREADS)

    def work() -> None:
        with csv.open_csv(path, **arrow_options(lenient, 1 << 25)) as reader, pq.ParquetWriter(
            out, reader.schema, compression=compression, compression_level=level(compression)
        ) as writer:
            for batch in reader:
                writer.write_batch(batch)

    return work


def pyarrow_table(path: str, out: str, compression: str, lenient: bool):
    """The whole table in memory, then written."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv

    pa.set_cpu_count(THREADS)
    pa.set_io_thread_count(THREADS)

    def work() -> None:
        table = csv.read_csv(path, **arrow_options(lenient, 1 << 20))
        pq.write_table(table, out, compression=compression, compression_level=level(compression))

    return work


def pyarrow_dataset(path: str, out: str, compression: str, lenient: bool):
    """Scanned and written at once, with threads on both sides."""
    import pyarrow as pa
    from pyarrow import dataset

    pa.set_cpu_count(THREADS)
    pa.set_io_thread_count(THREADS)

    def work() -> None:
        form = dataset.CsvFileFormat(**arrow_options(lenient, 1 << 22))
        written = dataset.ParquetFileFormat()
        options = written.make_write_options(
            compression=compression, compression_level=level(compression)
        )
        dataset.write_dataset(
            dataset.dataset(path, format=form),
            Path(out).parent,
            format=written,
            file_options=options,
            preserve_order=True,
        )

    return work


def polars(path: str, out: str, compression: str, lenient: bool):
    import polars as pl

    def work() -> None:
        scanned = pl.scan_csv(path, ignore_errors=lenient, truncate_ragged_lines=lenient)
        name = "uncompressed" if compression == "none" else compression
        scanned.sink_parquet(out, compression=name, compression_level=level(compression))

    return work


def duckdb(path: str, out: str, compression: str, lenient: bool):
    import duckdb as db

    connection = db.connect()
    connection.sql(f"SET threads={THREADS}")
    connection.sql(f"SET temp_directory='{Path(out).parent / 'temporary'}'")
    forgiving = ", strict_mode=false, ignore_errors=true" if lenient else ""
    name = "uncompressed" if compression == "none" else compression
    depth = ", COMPRESSION_LEVEL 1" if compression == "zstd" else ""

    def work() -> None:
        connection.sql(
            f"COPY (FROM read_csv('{path}'{forgiving})) TO '{out}' (FORMAT parquet, COMPRESSION {name}{depth})"
        )

    return work


SYSTEMS = {
    "pyarrow": pyarrow_table,
    "pyarrow-stream": pyarrow_stream,
    "pyarrow-dataset": pyarrow_dataset,
    "polars": polars,
    "duckdb": duckdb,
}


def rows(folder: Path) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in folder.rglob("*.parquet"))


def main(system: str, path: str, *more: str) -> None:
    if system == "rows":
        print(rows(Path(path)))
        return
    out, compression, *flags = more
    warnings.simplefilter("ignore")
    work = SYSTEMS[system](path, out, compression, "--lenient" in flags)
    start = time.perf_counter()
    try:
        work()
    except Exception as error:
        sys.exit(f"{system}: {str(error).splitlines()[0][:200]}")
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(*sys.argv[1:])
