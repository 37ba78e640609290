"""What is counted of a row, and the table of all rows at one size of BERT."""

from __future__ import annotations

from dataclasses import dataclass

from amb.sizes.settings import BackboneSize


@dataclass(frozen=True)
class Size:
    """How large one model is.

    Attributes:
        total: All parameters, those of a frozen BERT among them.
        trainable: Those that training changes.
        checkpoint_bytes: Of the file that a run would leave, a trained word embedding in full.
        trains_word_embedding: Whether BERT's word embedding is in that file.
    """

    total: int
    trainable: int
    checkpoint_bytes: int
    trains_word_embedding: bool


@dataclass(frozen=True)
class RowSize:
    """One row of the table.

    Attributes:
        preset: Name of the preset.
        label: Name of the row in tables.
        size: None where the preset does not fit this BERT or these data.
        misfit: Why it does not; empty where it does.
    """

    preset: str
    label: str
    size: Size | None
    misfit: str = ""


@dataclass(frozen=True)
class SizeTable:
    """All rows at one size of BERT.

    Attributes:
        backbone: The BERT.
        backbone_total: Its parameters, without a pooler.
        rows: In the order of the presets.
    """

    backbone: BackboneSize
    backbone_total: int
    rows: tuple[RowSize, ...]

    def size_of(self, preset: str) -> Size | None:
        """Return the size of a row by its preset; None where there is none."""
        return next((row.size for row in self.rows if row.preset == preset), None)
