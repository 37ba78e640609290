"""What a study's jobs may need, for a scheduler that ends what takes more: minutes and memory.

Guesses from the study alone, before any data are read, on the safe side by a factor of about two;
a job that is ended all the same asks for twice as much when it is tried again. The seconds of an
utterance are those of the slowest row on one busy core (``benchmarks/README.md``): 31 ms for a
training step of MiniLM; 60 to 96 ms for BERT-base on an idler one. How much faster a GPU is has not
been measured; 100 is what its arithmetic lets expect with much to spare.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from amb.data.release_sizes import KNOWN_SIZES
from amb.study import Study

# Of each data set's releases the largest; what is not known is taken as the largest of all.
UTTERANCES = {name: max(map(sum, sizes)) for name, sizes in KNOWN_SIZES.items()}
# Layers and hidden size of models that are named, not kept in a folder; the others as BERT-base.
NAMED_MODELS = {"minilm": (6, 384)}
BASE_MODEL = (12, 768)
VOCABULARY = 30522

START_MINUTES = 10.0  # of every job: start, imports, a slow file system
MARGIN = 2.0
STEP_S = 0.02  # of an utterance, whatever the language model
STEP_S_PER_WEIGHT = 1.2e-9
GPU_SPEEDUP = 100.0
FORWARD = 1 / 3  # of a training step: no gradient, no optimiser
# Predicting for less than this, by the guess above, is over before more processes have started.
ALONE_S = 60.0

MEMORY_MB = 3000  # of every job that imports torch
WORKER_MB = 600  # of one process more
BYTES_PER_WEIGHT = 36  # with gradients, moments, the best epoch's copy and activations
FEATURES_MB_PER_UTTERANCE = 0.11  # CMU-MOSEI, unaligned: 2.51 GB


@dataclass(frozen=True)
class Workload:
    """How much there is to do.

    Attributes:
        utterances: Of all splits.
        encoder_weights: Weights of the language model's layers, which every utterance passes.
        weights: The same with word embeddings, which take memory alone.
    """

    utterances: int
    encoder_weights: int
    weights: int

    def minutes(self, epochs: float, seeds: int, workers: int, gpus: int) -> int:
        """Return how long training may take.

        Args:
            epochs: Passes over all utterances, at most.
            seeds: Runs of one job.
            workers: Processes that share them on a CPU, at least 1.
            gpus: 0 where the job has no GPU; on one, seeds are counted one after the other.

        Returns:
            Minutes, rounded up.
        """
        in_turn = seeds / GPU_SPEEDUP if gpus else math.ceil(seeds / workers)
        return math.ceil(START_MINUTES + MARGIN * self._pass_s * epochs * in_turn / 60)

    def prediction_processes(self, seeds: int) -> int:
        """Return how many processes are to share the predictions of some seeds on a CPU.

        Args:
            seeds: Runs of one job.

        Returns:
            1 where the others would start for nothing, else one a seed.
        """
        return seeds if FORWARD * self._pass_s * seeds > ALONE_S else 1

    @property
    def _pass_s(self) -> float:
        """Seconds of a pass over all utterances, in training, on one core."""
        return self.utterances * (STEP_S + STEP_S_PER_WEIGHT * self.encoder_weights)

    def memory_mb(self, workers: int) -> int:
        """Return how much memory a job may take that builds models.

        Args:
            workers: Processes with a model each, at least 1.

        Returns:
            Megabytes of 1,000,000 bytes.
        """
        one = WORKER_MB + BYTES_PER_WEIGHT * self.weights / 1e6
        features = FEATURES_MB_PER_UTTERANCE * self.utterances
        return math.ceil(MEMORY_MB + features + workers * one)


def workload_of(study: Study) -> Workload:
    """Return the workload of a study; nothing but a local backbone's ``config.json`` is read."""
    layers, hidden = _model_size(study.backbone.name)
    layers = min(layers, study.backbone.layers or layers)
    encoder = 12 * layers * hidden**2
    return Workload(_utterances(study), encoder, encoder + VOCABULARY * hidden)


def corruption_passes(study: Study) -> int:
    """Return how often a grid of corruptions has the test split predicted; 0 without a grid."""
    if study.corruption is None:
        return 0
    points = sum(len(entry.targets) * len(entry.levels) for entry in study.corruption.grid)
    return points * study.corruption.draws


def _utterances(study: Study) -> int:
    """Return the number of utterances that generated data have, and known data sets at most."""
    if study.data["reader"] == "demo":
        demo = study.data["demo"]
        return int(sum(demo["videos"].values()) * demo["utterances_per_video"])
    return UTTERANCES.get(study.dataset() or "", max(UTTERANCES.values()))


def _model_size(name: str) -> tuple[int, int]:
    """Return layers and hidden size of a backbone, as far as they are known without loading it."""
    file = Path(name) / "config.json"
    if name in NAMED_MODELS or not file.is_file():
        return NAMED_MODELS.get(name, BASE_MODEL)
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        return int(config["num_hidden_layers"]), int(config["hidden_size"])
    except (ValueError, KeyError, TypeError, OSError):
        return BASE_MODEL  # preparing the backbone says what is wrong with it
