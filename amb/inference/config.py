"""What a saved model's ``config.json`` says: enough to build the model and to scale its inputs.

The file may come from anybody. It is checked against a closed schema, and what a schema cannot say
(lengths of statistics) is checked here; nothing in it is looked up before that.

Notation: d features of a frame.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amb.checked_files import load_checked_json
from amb.data.dataset import FRAME_MODALITIES, TEXT_STATES
from amb.data.normalisation import Scaling
from amb.errors import InputError
from amb.model.method import FeatureShape
from amb.model.precision import FLOAT32
from amb.study import BackboneSettings

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class FeatureConfig:
    """The features of one modality in the data that a model was trained on.

    Attributes:
        dimension: Features of a frame, d.
        word_aligned: Whether there is exactly one frame a word.
        read: Whether the model reads them: a text-only row does not, whatever its data had.
        mean: Mean of the train split (d,), None unless features are z-scored.
        std: Standard deviation of the train split (d,), likewise.
    """

    dimension: int
    word_aligned: bool
    read: bool
    mean: list[float] | None = None
    std: list[float] | None = None

    def scaling(self, utterances: int) -> Scaling | None:
        """Return the scaling by the train split for so many utterances, None where there is none.

        Args:
            utterances: Their number.

        Returns:
            The scaling.
        """
        if self.mean is None or self.std is None:
            return None
        return Scaling.of_all(self.mean, self.std, utterances)


@dataclass(frozen=True)
class ModelConfig:
    """A trained model without its weights.

    Attributes:
        builder: ``amb`` or the name of a file in ``baselines/``.
        options: Options of the builder.
        backbone: Name, layers, pooling and dropout of the backbone.
        backbone_sha256: SHA-256 of the prepared backbone's weights.
        tokenizer_sha256: Hash of what its tokenizer does.
        has_text: Whether utterances have words.
        max_pieces: Texts are cut at this many word-pieces.
        features: By modality: audio, visual, text_states.
        normalisation: ``none``, ``zscore`` or ``per_video``.
        matmul_precision: As ``torch.set_float32_matmul_precision`` takes it.
        precision: ``float32`` or ``bf16``; see ``amb.model.precision``.
        run: Where the weights come from; see the schema.
    """

    builder: str
    options: dict[str, Any]
    backbone: BackboneSettings
    backbone_sha256: str
    tokenizer_sha256: str
    has_text: bool
    max_pieces: int
    features: dict[str, FeatureConfig]
    normalisation: str
    matmul_precision: str
    precision: str
    run: dict[str, Any]

    @property
    def read_features(self) -> dict[str, FeatureConfig]:
        """The features that the model reads."""
        return {m: features for m, features in self.features.items() if features.read}

    def feature_shape(self) -> FeatureShape:
        """Return what the training data had, as builders take it."""
        frames = {m: self.features[m] for m in FRAME_MODALITIES if m in self.features}
        states = self.features.get(TEXT_STATES)
        return FeatureShape(
            {m: features.dimension for m, features in frames.items()},
            {m: features.word_aligned for m, features in frames.items()},
            self.has_text,
            None if states is None else states.dimension,
        )

    def as_json(self, weights_sha256: str, versions: dict[str, str]) -> dict[str, Any]:
        """Return the content of ``config.json``.

        Args:
            weights_sha256: SHA-256 of the weights file beside it.
            versions: Versions of the packages that saved it.

        Returns:
            JSON-able values that keep the schema ``model``.
        """
        return {
            "schema": SCHEMA_VERSION,
            "builder": self.builder,
            "options": self.options,
            "backbone": {
                **dataclasses.asdict(self.backbone),
                "sha256": self.backbone_sha256,
                "tokenizer_sha256": self.tokenizer_sha256,
            },
            "text": {"has_text": self.has_text, "max_pieces": self.max_pieces},
            "features": {m: dataclasses.asdict(own) for m, own in self.features.items()},
            "normalisation": self.normalisation,
            "matmul_precision": self.matmul_precision,
            "precision": self.precision,
            "weights_sha256": weights_sha256,
            "run": self.run,
            "versions": versions,
        }


def read_config(file: Path) -> tuple[ModelConfig, str]:
    """Read a ``config.json`` of unknown origin.

    Args:
        file: The file.

    Returns:
        The configuration, and the SHA-256 that the weights file must have.

    Raises:
        InputError: The file is missing, is not JSON, breaks the schema or contradicts itself.
    """
    content = load_checked_json(file, "model")
    features = {m: FeatureConfig(**own) for m, own in content["features"].items()}
    for modality, own in features.items():
        _check_statistics(file, modality, own, content["normalisation"])
    backbone = dict(content["backbone"])
    sha256, tokenizer_sha256 = backbone.pop("sha256"), backbone.pop("tokenizer_sha256")
    config = ModelConfig(
        builder=content["builder"],
        options=content["options"],
        backbone=BackboneSettings(**backbone),
        backbone_sha256=sha256,
        tokenizer_sha256=tokenizer_sha256,
        has_text=content["text"]["has_text"],
        max_pieces=content["text"]["max_pieces"],
        features=features,
        normalisation=content["normalisation"],
        matmul_precision=content["matmul_precision"],
        precision=content.get("precision", FLOAT32),
        run=content["run"],
    )
    return config, content["weights_sha256"]


def _check_statistics(file: Path, modality: str, own: FeatureConfig, normalisation: str) -> None:
    """Refuse statistics that are missing, superfluous, of another length, or negative."""
    wanted = own.dimension if normalisation == "zscore" else None
    for name, values in (("mean", own.mean), ("std", own.std)):
        found = None if values is None else len(values)
        if found != wanted:
            expected = "null" if wanted is None else f"{wanted}, one a feature"
            raise InputError(file, f"features.{modality}.{name}: length", found, expected)
    if own.std is not None and min(own.std) < 0:
        raise InputError(file, f"features.{modality}.std", min(own.std), "0 or more")
