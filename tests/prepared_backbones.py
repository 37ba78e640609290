"""Prepared backbones that are whole, and other ones than a run knows."""

from __future__ import annotations

from pathlib import Path

from amb.files import read_json, sha256_of, write_json


def replace_tokenizer(backbone: Path) -> None:
    """Give a prepared backbone a tokenizer that keeps case, and a card that agrees with it."""
    file, card = backbone / "tokenizer.json", backbone / "card.json"
    tokenizer, content = read_json(file), read_json(card)
    tokenizer["normalizer"]["lowercase"] = False
    write_json(file, tokenizer)
    content["files"][file.name] = sha256_of(file)
    write_json(card, content)
