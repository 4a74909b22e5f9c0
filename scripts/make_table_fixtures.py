#!/usr/bin/env python3
"""Writes tests/fixtures/tables: one table as CSV, Parquet, Feather and Arrow, as pandas, pyarrow and polars write it.

    pip install numpy pandas pyarrow polars
    scripts/make_table_fixtures.py

`table.csv` is what pandas writes of the frame. Every other file but those named `not-` has the same columns and rows.
"""

import datetime
import decimal
import io
import pathlib

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet

OUT = pathlib.Path(__file__).parent.parent / "tests/fixtures/tables"
ROWS = 90


def frame():
    random = np.random.default_rng(7)
    age = random.integers(1, 80, ROWS) + 0.5
    whole = random.integers(-5, 200, ROWS)
    port = random.choice(["Cork", "Paris", "Zürich, Altstadt"], ROWS)
    start = datetime.datetime(2019, 12, 30)
    gaps = lambda values, step: [None if row % step == 3 else value for row, value in enumerate(values)]
    table = pd.DataFrame(
        {
            "age": gaps(age, 7),
            "single": pd.Series(age / 10, dtype="float32"),
            "half": pd.Series(np.round(age), dtype="float16"),
            "tiny": pd.Series(whole % 100, dtype="int8"),
            "whole": pd.Series(whole, dtype="int64"),
            "counted": pd.array(gaps(whole % 50, 5), dtype="Int64"),
            "unsigned": pd.Series((2**64 - 1 - whole.clip(0).astype("uint64")), dtype="uint64"),
            "port": gaps(port, 11),
            "kind": pd.Categorical(gaps(random.choice(["a", "b", "c"], ROWS), 13)),
            "member": random.random(ROWS) < 0.4,
            "price": [decimal.Decimal(int(value)).scaleb(-2) for value in whole],
            "day": [(start + datetime.timedelta(days=int(row * 3))).date() for row in range(ROWS)],
            "moment": pd.Series([start + datetime.timedelta(hours=int(row * 5)) for row in range(ROWS)]),
        }
    )
    table["label"] = np.where((age < 40) ^ (random.random(ROWS) < 0.1), "yes", "no")
    return table


def with_a_row_more():
    """A file of three rows of missing values, whose description says that they are four."""
    file = io.BytesIO()
    empty = pa.table({"a": pa.array([None] * 3, pa.float64()), "b": pa.array([None] * 3, pa.int64())})
    pa.parquet.write_table(empty, file, compression="none", store_schema=False, write_statistics=False)
    whole = file.getvalue()
    for at in range(len(whole)):
        # Whole numbers are written twice as large.
        if whole[at] == 6:
            other = whole[:at] + bytes([8]) + whole[at + 1:]
            try:
                if pa.parquet.ParquetFile(io.BytesIO(other)).metadata.row_group(0).num_rows == 4:
                    return other
            except (OSError, pa.ArrowInvalid):
                pass
    raise ValueError("no number of rows")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    table = frame()
    table.to_csv(OUT / "table.csv", index=False)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    write = pa.parquet.write_table
    write(arrow, OUT / "snappy.parquet")
    write(arrow, OUT / "zstd.parquet", compression="zstd", row_group_size=25)
    write(arrow, OUT / "gzip-v2.parquet", compression="gzip", data_page_version="2.0", use_dictionary=False)
    write(arrow, OUT / "lz4-pages.parquet", compression="lz4", data_page_size=200, write_batch_size=10)
    delta = {name: "DELTA_BINARY_PACKED" for name in ["whole", "counted", "moment"]} | {"port": "DELTA_LENGTH_BYTE_ARRAY"}
    split = {name: "BYTE_STREAM_SPLIT" for name in ["age", "single"]}
    write(arrow, OUT / "encodings.parquet", compression="none", use_dictionary=False, column_encoding=delta | split)
    write(arrow, OUT / "int96.parquet", use_deprecated_int96_timestamps=True, store_decimal_as_integer=True)
    indexed = table.set_index("age")
    indexed.to_parquet(OUT / "named-index.parquet")
    pa.feather.write_feather(arrow, OUT / "lz4.feather", compression="lz4", chunksize=40)
    pa.feather.write_feather(arrow, OUT / "zstd.feather", compression="zstd")
    pa.feather.write_feather(arrow, OUT / "plain.feather", compression="uncompressed")
    large = pa.schema([(f.name, {pa.string(): pa.large_string()}.get(f.type, f.type)) for f in arrow.schema])
    with pa.ipc.new_stream(OUT / "large.arrows", large) as stream:
        stream.write_table(arrow.cast(large), max_chunksize=30)
    views = pa.schema([(f.name, {pa.string(): pa.string_view()}.get(f.type, f.type)) for f in arrow.schema])
    with pa.ipc.new_file(OUT / "views.arrow", views) as file:
        file.write_table(arrow.cast(views))
    # polars has no numbers of 16 bits in files.
    other = polars.from_arrow(arrow)
    other.write_parquet(OUT / "polars.parquet")
    other.write_ipc(OUT / "polars.arrow", compression="zstd")

    # Columns that no model takes, beside one that can be read.
    nested = pa.table({"tags": [["a"], [], ["b", "c"]] * 10, "record": [{"x": 1, "y": "z"}] * 30, "raw": [b"\xff"] * 30,
                       "a": list(range(10)) * 3, "label": ["no", "yes", "yes"] * 10})
    write(nested, OUT / "not-flat.parquet")
    pa.feather.write_feather(nested, OUT / "not-flat.feather")
    shuffled = table[["whole", "label"]].sample(frac=1, random_state=0)
    shuffled.to_parquet(OUT / "not-ordered.parquet")
    write(arrow.select(["whole", "label"]), OUT / "not-brotli.parquet", compression="brotli")
    (OUT / "not-whole.parquet").write_bytes(with_a_row_more())


if __name__ == "__main__":
    main()
