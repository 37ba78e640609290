"""The backbone of a trained model: given as a folder or by name, and only ever the right one.

What is not prepared yet is prepared once, under ``$AMB_CACHE/backbones`` (``~/.cache/amb``).
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path

from amb.errors import InputError
from amb.inference.config import ModelConfig
from amb.model.backbone import CARD_FILE, HASHED_FILES, Backbone
from amb.model.backbone_source import prepare_backbone
from amb.study import BackboneSettings, digest


def find_backbone(given: str | Path | None, config: ModelConfig, file: Path) -> Backbone:
    """Find the backbone that a model extends.

    Args:
        given: A prepared folder, a Hugging Face folder or a name; None for the name in ``config``.
        config: The model's configuration.
        file: The file of ``config``, for messages.

    Returns:
        The backbone.

    Raises:
        InputError: It is not found, or its weights or tokenizer are others; the message has both
            hashes.
    """
    name = given or config.backbone.name
    backbone = prepared_backbone(name, config.backbone, config.backbone_sha256)
    tokenizer = backbone.tokenizer_sha256
    if tokenizer != config.tokenizer_sha256:
        raise InputError(name, "tokenizer SHA-256", tokenizer, config.tokenizer_sha256)
    backbone.require_positions(config.max_pieces, file, "text.max_pieces")
    return backbone


def prepared_backbone(name: str | Path, settings: BackboneSettings, sha256: str) -> Backbone:
    """Find a backbone with the given weights, and prepare it if nobody has.

    Args:
        name: A prepared folder, a Hugging Face folder or a name.
        settings: Layers, pooling and dropout; its name does not count.
        sha256: SHA-256 of the prepared weights.

    Returns:
        The backbone.

    Raises:
        InputError: It is not found, or has other weights; the message has both hashes.
    """
    if (Path(name) / CARD_FILE).is_file():
        return _same(Backbone(Path(name), settings), sha256, name)
    folder = _cache() / digest([str(name), sha256, HASHED_FILES])
    if not (folder / CARD_FILE).is_file():
        _prepare(dataclasses.replace(settings, name=str(name)), sha256, folder)
    return _same(Backbone(folder, settings), sha256, folder)


def _prepare(settings: BackboneSettings, sha256: str, folder: Path) -> None:
    """Prepare a backbone as ``folder``, if it has the right weights."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".preparing.") as temporary:
        prepared = Path(temporary) / "backbone"
        prepare_backbone(settings, prepared)
        _same(Backbone(prepared, settings), sha256, settings.name)
        if not folder.exists():  # another process may have been faster
            prepared.rename(folder)


def _same(backbone: Backbone, sha256: str, name: str | Path) -> Backbone:
    if backbone.sha256 != sha256:
        raise InputError(name, "backbone SHA-256", backbone.sha256, sha256)
    return backbone


def _cache() -> Path:
    root = os.environ.get("AMB_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "amb") / "backbones"
