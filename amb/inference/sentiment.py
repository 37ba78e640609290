"""``AmbForSentiment``: a trained model of the suite, any row of any study, as an object.

    model = AmbForSentiment.from_run("results/mosi/runs/amb/seed1111")
    model.save_pretrained("amb_mosi")
    AmbForSentiment.from_pretrained("amb_mosi").predict([Utterance(text="a good film", ...)])

Notation: N utterances.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from amb import provenance
from amb.data.batches import SplitData
from amb.data.ragged import Array
from amb.data.store import Store
from amb.errors import InputError
from amb.files import sha256_of, write_json, write_text
from amb.inference.backbones import find_backbone
from amb.inference.config import CONFIG, WEIGHTS, ModelConfig, read_config
from amb.inference.inputs import tensors_of_store, tensors_of_utterances
from amb.inference.model_card import render_card
from amb.inference.runs import CHECKPOINT, RECORD, read_run
from amb.inference.utterances import CheckedUtterances, Utterance, check_utterances
from amb.inference.weights import build, save
from amb.model.backbone import Backbone
from amb.model.method import SentimentModel
from amb.model.precision import use_matmul_precision
from amb.model.reading import features_read
from amb.training.predict import predict


class AmbForSentiment:
    """A trained model with all that it needs to read raw words and features.

    Use ``from_run`` or ``from_pretrained``.

    Args:
        config: What the model is.
        model: The model with its learned weights.
        backbone: The backbone that it extends.
        device: ``cpu`` or ``cuda``.
    """

    def __init__(
        self, config: ModelConfig, model: SentimentModel, backbone: Backbone, device: str = "cpu"
    ) -> None:
        self.config = config
        self.backbone = backbone
        self.device = torch.device(device)
        self.model = model.to(self.device)

    @classmethod
    def from_run(
        cls,
        run_folder: str | Path,
        backbone: str | Path | None = None,
        store: str | Path | None = None,
        device: str = "cpu",
    ) -> AmbForSentiment:
        """Load the model of a finished run.

        Args:
            run_folder: ``results/<study>/runs/<method>/seed<k>``.
            backbone: A prepared backbone, a Hugging Face folder or a name; the study's own when
                None.
            store: The store that it was trained on, of which the card is read; the study's own
                when None.
            device: ``cpu`` or ``cuda``.

        Returns:
            The model.

        Raises:
            InputError: The run is not finished, or checkpoint, store or backbone are not the run's.
        """
        folder = Path(run_folder)
        config, prepared = read_run(folder, None if store is None else Path(store), backbone)
        model = build(config, prepared, folder / CHECKPOINT, folder / RECORD)
        config = _with_what_is_read(config, model, prepared)
        return cls(config, model, prepared, device)

    @classmethod
    def from_pretrained(
        cls,
        folder_or_name: str | Path,
        backbone: str | Path | None = None,
        device: str = "cpu",
    ) -> AmbForSentiment:
        """Load a model that ``save_pretrained`` wrote.

        Args:
            folder_or_name: The folder, or a name on the Hugging Face hub.
            backbone: A prepared backbone, a Hugging Face folder or a name; when None, the name that
                the model was trained with.
            device: ``cpu`` or ``cuda``.

        Returns:
            The model.

        Raises:
            InputError: A file is missing, damaged or not what it should be, or the backbone is
                another one.
        """
        folder = Path(folder_or_name)
        if not folder.is_dir():
            folder = _download(str(folder_or_name))
        config, weights_sha256 = read_config(folder / CONFIG)
        weights = folder / WEIGHTS
        if not weights.is_file():
            raise InputError(weights, "file", "no such file", "the weights of a saved model")
        found = sha256_of(weights)
        if found != weights_sha256:
            raise InputError(weights, "SHA-256", found, f"{weights_sha256}, as {CONFIG} says")
        prepared = find_backbone(backbone, config, folder / CONFIG)
        return cls(config, build(config, prepared, weights, folder / CONFIG), prepared, device)

    @classmethod
    def load(
        cls,
        folder_or_name: str | Path,
        backbone: str | Path | None = None,
        device: str = "cpu",
    ) -> AmbForSentiment:
        """Load a model from whichever it is: a run's folder, a saved folder or a name.

        Args:
            folder_or_name: The folder or name.
            backbone: As the two others take it.
            device: ``cpu`` or ``cuda``.

        Returns:
            The model.
        """
        if (Path(folder_or_name) / RECORD).is_file():
            return cls.from_run(folder_or_name, backbone, device=device)
        return cls.from_pretrained(folder_or_name, backbone, device)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write ``model.safetensors``, ``README.md`` and, last of all, ``config.json``.

        Args:
            folder: The folder; created if need be. A saved model in it is replaced.

        Raises:
            InputError: There is another kind of ``config.json`` in it.
        """
        folder = Path(folder)
        if (folder / CONFIG).exists():
            read_config(folder / CONFIG)  # anything but a saved model is left alone
        (folder / CONFIG).unlink(missing_ok=True)  # a folder without it is no model
        weights_sha256 = save(folder / WEIGHTS, self.model, self.config, self.backbone)
        write_text(folder / "README.md", render_card(self.config))
        write_json(folder / CONFIG, self.config.as_json(weights_sha256, provenance.versions()))

    def predict(self, utterances: Sequence[Utterance]) -> Array:
        """Predict the sentiment of utterances, unclipped, on the scale of the training labels.

        Under ``normalisation: per_video`` features are scaled by the frames of the same ``video``
        among these utterances: give all of a video in one call.

        Args:
            utterances: N utterances with unscaled features.

        Returns:
            (N,) float32, in the given order.

        Raises:
            InputError: An utterance is not what the model was trained on.
        """
        checked = check_utterances(utterances, self.config)
        if not checked.words:
            return np.empty(0, dtype=np.float32)
        return self._predict(tensors_of_utterances(checked, self.config, self.backbone.folder))

    def predict_store(self, store: Store, split: str | None = None) -> Array:
        """Predict the utterances of a store; no label is read.

        Args:
            store: An open store.
            split: Which split; all utterances when None.

        Returns:
            (N,) float32, in the store's order.

        Raises:
            InputError: The store is not like the one that the model was trained on.
        """
        return self._predict(tensors_of_store(store, self.config, self.backbone.folder, split))

    def _predict(self, data: SplitData) -> Array:
        with _matmul_precision(self.config.matmul_precision, self.device):
            predictions: Array = predict(self.model, data.to(self.device)).cpu().numpy()
        return predictions


@contextmanager
def _matmul_precision(precision: str, device: torch.device) -> Iterator[None]:
    """Multiply as the run did, then as the caller did before."""
    before = torch.get_float32_matmul_precision()
    use_matmul_precision(precision, device)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _with_what_is_read(
    config: ModelConfig, model: SentimentModel, backbone: Backbone
) -> ModelConfig:
    """Find out which features a model reads, by one utterance of zeros."""
    words = [["word"]] if config.has_text else [[]]
    zeros = {
        m: [np.zeros((1, own.dimension), dtype=np.float32)] for m, own in config.features.items()
    }
    data = tensors_of_utterances(CheckedUtterances(words, zeros, [""]), config, backbone.folder)
    read = features_read(model, data, torch.arange(1))
    features = {m: dataclasses.replace(f, read=m in read) for m, f in config.features.items()}
    return dataclasses.replace(config, features=features)


def _download(name: str) -> Path:
    """Fetch a saved model from the Hugging Face hub; never code, never a pickle."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[CONFIG, WEIGHTS, "README.md"]))
    except Exception as error:
        expected = "a folder of save_pretrained or a reachable name on the Hugging Face hub"
        raise InputError(name, "model", type(error).__name__, expected) from error
