"""What a finished run says of its model: ``run.json``, the store's card, the predictions.

A run's folder is ``results/<study>/runs/<method>/seed<k>``; its store and its backbone lie beside
``runs`` unless they are named.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

from amb.data.dataset import MODALITIES
from amb.data.tables import read_card
from amb.errors import InputError
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.metrics import METRICS
from amb.evaluation.predictions import read_origin
from amb.evaluation.reading import read_predictions
from amb.files import read_json, sha256_of
from amb.inference.backbones import prepared_backbone
from amb.inference.config import FeatureConfig, ModelConfig
from amb.model.backbone import CARD_FILE, Backbone
from amb.model.precision import FLOAT32
from amb.study import BackboneSettings

RECORD = "run.json"
CHECKPOINT = "checkpoint.safetensors"


def read_run(
    folder: Path, store: Path | None = None, backbone: str | Path | None = None
) -> tuple[ModelConfig, Backbone]:
    """Read what a run's model is, and check that checkpoint, store and backbone are the run's.

    Args:
        folder: The run's folder.
        store: The store that it was trained on; only its card is read.
        backbone: A prepared folder, a Hugging Face folder or a name.

    Returns:
        The configuration, in which all features count as read, and the backbone.

    Raises:
        InputError: The run is not finished, or one of these is not the one of its record.
    """
    for name in (RECORD, CHECKPOINT):
        if not (folder / name).is_file():
            raise InputError(folder / name, "file", "no such file", "a file of a finished run")
    record = _read_record(folder / RECORD)
    study = folder.resolve().parents[2]
    store = store or study / "store"
    card = read_card(store)
    _require(store, "content_hash", card["content_hash"], record["store_sha256"])
    checkpoint = folder / CHECKPOINT
    _require(checkpoint, "SHA-256", sha256_of(checkpoint), record["checkpoint_sha256"])
    settings = BackboneSettings(**record["config"]["backbone"])
    beside = study / "backbone"
    source = backbone or (beside if (beside / CARD_FILE).is_file() else settings.name)
    prepared = prepared_backbone(source, settings, record["backbone_sha256"])
    return _configuration(folder, record, card, prepared), prepared


def _configuration(
    folder: Path, record: dict[str, Any], card: dict[str, Any], backbone: Backbone
) -> ModelConfig:
    data, method = record["config"]["data"], record["config"]["method"]
    return ModelConfig(
        builder=method["builder"],
        options=method["options"],
        backbone=backbone.settings,
        backbone_sha256=backbone.sha256,
        tokenizer_sha256=backbone.tokenizer_sha256,
        has_text=card["has_text"],
        max_pieces=data["max_pieces"],
        features=_features(card, data["normalisation"]),
        normalisation=data["normalisation"],
        matmul_precision=method["training"]["matmul_precision"],
        precision=method["training"].get("precision", FLOAT32),
        run=_provenance(folder, record, card),
    )


def _read_record(file: Path) -> dict[str, Any]:
    """Read ``run.json``; that it has all its sections says that training wrote it."""
    try:
        record: dict[str, Any] = read_json(file)
        _ = [record["config"][section] for section in ("data", "backbone", "method")]
        _ = [record[name] for name in ("checkpoint_sha256", "store_sha256", "backbone_sha256")]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(file, "content", str(error), "the record of a finished run") from error
    return record


def _require(file: Path, field: str, found: str, expected: str) -> None:
    if found != expected:
        raise InputError(file, field, found, f"{expected}, the run's")


def _features(card: dict[str, Any], normalisation: str) -> dict[str, FeatureConfig]:
    features = {}
    for modality in (m for m in MODALITIES if m in card["dimensions"]):
        statistics = card["normalisation"][modality] if normalisation == "zscore" else {}
        features[modality] = FeatureConfig(
            dimension=int(card["dimensions"][modality]),
            word_aligned=bool(card["word_aligned"][modality]),
            read=True,
            mean=statistics.get("mean"),
            std=statistics.get("std"),
        )
    return features


def _provenance(folder: Path, record: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    identity = ("study", "method", "seed", "identity_sha256", "config_sha256")
    hashes = ("store_sha256", "source_sha256")
    return {
        **{key: record[key] for key in (*identity, *hashes)},
        "data": {
            "reader": record["config"]["data"]["reader"],
            "release": card.get("release"),
            "utterances": {split: counts["utterances"] for split, counts in card["counts"].items()},
        },
        "valid_mae": record["best_valid_mae"],
        "test_scores": _test_scores(folder / "predictions.parquet", record),
    }


def _test_scores(file: Path, record: dict[str, Any]) -> dict[str, float]:
    """Return the defined metrics of the run's stored test predictions, if it was evaluated."""
    if (read_origin(file) or {}).get("checkpoint_sha256") != record["checkpoint_sha256"]:
        return {}
    runs = runs_by_method(read_predictions([file]))[record["method"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a metric that is undefined is left out
        scores = {n: float(m(runs.labels, runs.predictions)[0]) for n, m in METRICS.items()}
    return {name: score for name, score in scores.items() if math.isfinite(score)}
