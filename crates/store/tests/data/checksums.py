"""Writes paged.parquet: two row groups whose pages carry CRC-32 checksums, made with pyarrow 26.0.1."""

import pyarrow as pa
import pyarrow.parquet as pq

rows = 600
table = pa.table(
    {
        "era": pa.array([f"{1 + row // 100:04}" for row in range(rows)]),
        "feature_a": pa.array([row * row % 5 for row in range(rows)], pa.int8()),
        "feature_b": pa.array([row % 7 / 8 for row in range(rows)], pa.float32()),
        "target": pa.array([row % 4 / 4 for row in range(rows)], pa.float32()),
    }
)
pq.write_table(
    table,
    "paged.parquet",
    row_group_size=300,
    compression="none",
    use_dictionary=False,
    write_page_checksum=True,
)
