"""A prepared backbone: one folder with the weights, the shape, the tokenizer and a card.

``backbone_source`` makes such folders; training and prediction only read them, and need neither a
network nor the transformers library for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from amb.data.tokenisation import tokenizer_digest
from amb.errors import InputError
from amb.files import read_json, sha256_of
from amb.model.bert import BertEncoder, BertShape
from amb.study import BackboneSettings

CARD_FILE = "card.json"
WEIGHTS_FILE, CONFIG_FILE, TOKENIZER_FILE = "model.safetensors", "config.json", "tokenizer.json"
HASHED_FILES = (WEIGHTS_FILE, CONFIG_FILE, TOKENIZER_FILE)


@dataclass(frozen=True)
class Backbone:
    """A prepared backbone and the study's settings for it.

    Attributes:
        folder: The prepared folder.
        settings: Pooling, dropout and so on.
    """

    folder: Path
    settings: BackboneSettings

    @cached_property
    def card(self) -> dict[str, Any]:
        """What the folder holds and where it came from."""
        card: dict[str, Any] = read_json(self.folder / CARD_FILE)
        return card

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the prepared weights; all files are checked against the card.

        Returns:
            64 hexadecimal digits.

        Raises:
            InputError: A file is not the one that was prepared.
        """
        expected = self.card.get("files")
        if not isinstance(expected, dict) or set(expected) != set(HASHED_FILES):
            hint = "Prepare it again: amb backbone"
            wanted = f"SHA-256 of {', '.join(HASHED_FILES)}"
            raise InputError(self.folder / CARD_FILE, "files", expected, wanted, hint)
        for name in HASHED_FILES:
            found = sha256_of(self.folder / name)
            if found != expected[name]:
                raise InputError(self.folder / name, "SHA-256", found, expected[name])
        return str(expected[WEIGHTS_FILE])

    @cached_property
    def tokenizer_sha256(self) -> str:
        """SHA-256 of what its tokenizer does, found by trying it: no card is believed here."""
        return tokenizer_digest(self.folder)

    @cached_property
    def shape(self) -> BertShape:
        """The sizes of the encoder."""
        return BertShape.from_config(read_json(self.folder / CONFIG_FILE))

    def require_positions(self, max_pieces: int, file: str | Path, field: str) -> None:
        """Refuse texts that are longer than the backbone can number.

        Args:
            max_pieces: Longest text in word-pieces, special tokens included.
            file: The file that asks for it, for the message.
            field: Its key there.

        Raises:
            InputError: There are fewer positions.
        """
        longest = self.shape.longest_text
        if max_pieces > longest:
            name = self.card["name"]
            expected = f"at most {longest}, the positions of backbone {name}"
            raise InputError(file, field, max_pieces, expected)

    def weights(self) -> dict[str, Tensor]:
        """Read the pretrained parameters.

        Returns:
            Tensors under Hugging Face's names.

        Raises:
            InputError: The file is no safetensors file; its hash on the card says nothing of that.
        """
        file = self.folder / WEIGHTS_FILE
        try:
            tensors: dict[str, Tensor] = load_file(file)
        except SafetensorError as error:
            raise InputError(file, "file", str(error), "a safetensors file") from error
        return tensors

    def load(self, trainable: bool) -> BertEncoder:
        """Return the encoder with its pretrained weights.

        Args:
            trainable: Whether it is fine-tuned; if not, it is frozen, with or without dropout as
                the study says.

        Returns:
            The encoder, in training mode.
        """
        encoder = BertEncoder(self.shape)
        encoder.load_state_dict(self.weights())
        if not trainable:
            encoder.freeze(dropout=self.settings.frozen_dropout)
        return encoder
