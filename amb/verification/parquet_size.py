"""How much a Parquet file of unknown origin would unpack to, asked before it is unpacked."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from amb.errors import InputError

# A run of the largest data set has 25,000 utterances; under a large grid, a hundred times that.
MOST_ROWS = 10_000_000
MOST_BYTES = 2**30


def check_parquet_size(file: Path) -> None:
    """Refuse a file that states more rows or bytes than predictions have.

    Args:
        file: The file.

    Raises:
        InputError: It is no Parquet file, or it is too large unpacked.
    """
    try:
        metadata = pq.read_metadata(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(file, "file", str(error).split("\n")[0], "a Parquet file") from error
    groups = (metadata.row_group(place) for place in range(metadata.num_row_groups))
    unpacked = sum(group.total_byte_size for group in groups)
    if metadata.num_rows > MOST_ROWS:
        found = f"{metadata.num_rows:,} rows"
        raise InputError(file, "rows", found, f"at most {MOST_ROWS:,} rows")
    if unpacked > MOST_BYTES:
        found = f"{unpacked:,} bytes unpacked"
        raise InputError(file, "size", found, f"at most {MOST_BYTES:,} bytes")
