"""One prediction file, column by column: decoded and checked, or as the bytes that stand in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from amb.errors import InputError
from amb.evaluation.predictions import (
    CONTENT,
    ITEM_COLUMNS,
    PREDICTION_COLUMNS,
    PREDICTION_SCHEMA,
    check_columns,
    content_digest,
    read_origin,
)

# What reading a Parquet file raises where bits of its description are turned.
UNREADABLE = (
    *(pa.ArrowException, OSError, ValueError),
    *(KeyError, IndexError, OverflowError, MemoryError),
)


class PredictionFile:
    """A prediction file whose columns have the right names and types.

    Args:
        path: The file.

    Raises:
        InputError: It is missing, no Parquet, has other columns or types, or has no row.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(path, "file", "no such file", "a prediction file (Parquet)")
        self.path = path
        self._content = path.read_bytes()
        with self._damage_named():
            self._parquet = pq.ParquetFile(pa.BufferReader(self._content))
            self._schema = self._parquet.schema_arrow
            self._metadata = self._parquet.metadata
        schema = self._schema
        check_columns(path, schema.names)
        for name in PREDICTION_COLUMNS:
            found, wanted = schema.field(name).type, PREDICTION_SCHEMA.field(name).type
            same_text = wanted == pa.string() and pa.types.is_large_string(found)
            if found != wanted and not same_text:
                raise InputError(path, f"column {name}", str(found), f"type {wanted}")
        if not self._metadata.num_rows:
            raise InputError(path, "rows", 0, "at least one row")

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Decode columns.

        Args:
            columns: Their names.

        Returns:
            The columns, in that order. An empty number is left, and reads as NaN.

        Raises:
            InputError: The file is damaged, or a text or a whole number is empty.
        """
        with self._damage_named():
            table = self._parquet.read(list(columns), use_threads=False).select(list(columns))
        for name in columns:
            kind = PREDICTION_SCHEMA.field(name).type
            if table.column(name).null_count and not pa.types.is_floating(kind):
                raise InputError(
                    self.path, f"column {name}", "an empty cell", f"a {kind} in every row"
                )
        return table

    def stated_sha256(self) -> str | None:
        """Return the hash of its values that the file states; None where it states none."""
        stated: bytes | None = (self._schema.metadata or {}).get(CONTENT)
        return None if stated is None else stated.decode(errors="replace")

    def require_content(self, digest: Callable[[], str]) -> None:
        """Refuse a file whose values are not those that it was written with.

        Files that others wrote state no hash, and pass.

        Args:
            digest: Returns the content digest of what was read.

        Raises:
            InputError: It has changed.
        """
        expected = self.stated_sha256()
        if expected is None:
            return
        found = digest()
        if found != expected:
            hint = "The file is damaged, or was changed: delete it, and the workflow makes it anew"
            raise InputError(self.path, "SHA-256 of its values", found, expected, hint)

    def as_stored(self, columns: Sequence[str]) -> tuple[Any, ...]:
        """Return columns as they are stored, undecoded: equal ones decode to equal values.

        Args:
            columns: Their names.

        Returns:
            What equals that of another file only if both have the same schema and, for each of the
            columns, the same bytes in the same encoding. Equal values may be stored otherwise.
        """
        metadata = self._metadata
        chunks = []
        with self._damage_named():
            for group in range(metadata.num_row_groups):
                for place in range(metadata.num_columns):
                    chunk = metadata.row_group(group).column(place)
                    if chunk.path_in_schema in columns:
                        first = chunk.data_page_offset
                        if chunk.has_dictionary_page:
                            first = min(first, chunk.dictionary_page_offset)
                        stored = self._content[first : first + chunk.total_compressed_size]
                        chunks.append(
                            (chunk.num_values, chunk.compression, chunk.encodings, stored)
                        )
        return (metadata.schema, tuple(chunks))

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        """Turn what the library says of a damaged file, into an error that names it."""
        try:
            yield
        except UNREADABLE as error:
            found = str(error).split("\n")[0]
            raise InputError(self.path, "file", found, "a Parquet file") from error


def follows_from(path: Path, origin: Mapping[str, str]) -> bool:
    """Whether a prediction file is whole and follows from what is given.

    Args:
        path: The file; it may be missing.
        origin: What its predictions are to follow from.

    Returns:
        Whether its origin is the same, and reading it gives what was written.
    """
    if read_origin(path) != origin:
        return False
    try:
        file = PredictionFile(path)
        file.as_stored(ITEM_COLUMNS)
        digest = content_digest(file.read(PREDICTION_COLUMNS))
    except InputError:
        return False
    return file.stated_sha256() == digest
