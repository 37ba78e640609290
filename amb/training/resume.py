"""What a run needs to go on after an interruption, kept every few minutes.

One file holds all seeds of a pack, so that they always stand at the same step. It is no output: it
lies in the first seed's run folder until training has ended, and is written under another name and
moved into place. Draws are functions of seed, epoch and step (``amb.training.seeds``), so no
generator's state is in it, and a run that goes on ends in the bits of one that was never stopped.

Notation: K seeds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from amb import termination
from amb.files import atomic_path
from amb.training.job import Epoch
from amb.training.loop import Position
from amb.training.seed_training import SeedTraining

FILE = "resume.safetensors"


class ResumeFile:
    """Keeps the state of K trainings in a file.

    Args:
        path: The file.
        identity: What makes these runs these runs; a file of others is left unread.
        minutes: Between two savings; 0: after every step.
        say: Told when training goes on from the file, or cannot.
    """

    def __init__(
        self, path: Path, identity: str, minutes: float, say: Callable[[str], None]
    ) -> None:
        self.path, self.identity, self.minutes, self.say = path, identity, minutes, say
        self._saved = time.monotonic()

    def restore(self, trainings: Sequence[SeedTraining]) -> Position:
        """Put trainings back where the file has them.

        Args:
            trainings: Freshly made, one a seed.

        Returns:
            Where training goes on; the beginning, if there is no file of these runs, or a damaged
            one.
        """
        if not self.path.exists():
            return Position()
        try:
            header, tensors = _read(self.path)
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            self.say(f"{self.path}: not usable, training starts anew: {error}")
            return Position()
        if header["identity"] != self.identity:
            self.say(f"{self.path}: of other inputs, training starts anew")
            return Position()
        for training, own in zip(trainings, header["trainings"], strict=True):
            _put_back(training, own, tensors)
        position = Position(**header["position"])
        self.say(f"going on from epoch {position.epoch}, step {position.step}")
        return position

    def after_step(self, trainings: Sequence[SeedTraining], position: Position) -> None:
        """Save, if it is time to; and at once where the process is asked to end, which it does."""
        asked = termination.is_asked_to_end()
        if asked or time.monotonic() - self._saved >= 60 * self.minutes:
            self.save(trainings, position)
        if asked:
            self.say(
                f"asked to end (SIGTERM): kept at epoch {position.epoch}, step {position.step};"
                " the same command goes on from there"
            )
            termination.end_if_asked()

    def save(self, trainings: Sequence[SeedTraining], position: Position) -> None:
        """Write the file."""
        tensors: dict[str, Tensor] = {}
        headers = [_take(training, tensors) for training in trainings]
        header = {
            "identity": self.identity,
            "position": dataclasses.asdict(position),
            "trainings": headers,
            "sha256": _digest(tensors),
        }
        with atomic_path(self.path) as temporary:
            save_file(tensors, temporary, metadata={"amb": json.dumps(header)})
        self._saved = time.monotonic()

    def remove(self) -> None:
        """Delete the file: its runs are complete."""
        self.path.unlink(missing_ok=True)


def _take(training: SeedTraining, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Add a training's tensors under names of its seed, and return the rest of its state."""
    prefix = f"seed{training.seed}"
    parts: dict[str, dict[str, Tensor]] = {
        "model": training.model.training_state(),
        "best": training.best_state,
        "loss": {"sum": training.loss_sum},
    }
    optimiser = training.optimiser.state_dict()
    for index, state in optimiser["state"].items():
        parts[f"optimiser.{index}"] = state
    for part, named in parts.items():
        for name, value in named.items():
            # A copy: safetensors refuses views, which the parameters of a pack are.
            tensors[f"{prefix}/{part}/{name}"] = value.detach().to("cpu", copy=True).contiguous()
    return {
        "seed": training.seed,
        "rates": [group["lr"] for group in training.optimiser.param_groups],
        "plateau": None if training.plateau is None else training.plateau.state_dict(),
        "curve": [dataclasses.asdict(epoch) for epoch in training.curve],
        "best_epoch": training.best_epoch,
        "best_mae": training.best_mae,
        "stopped": training.stopped,
    }


def _put_back(training: SeedTraining, header: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Undo ``_take``."""
    prefix = f"seed{training.seed}/"
    device = training.loss_sum.device
    parts: dict[str, dict[str, Tensor]] = {}
    for full, value in tensors.items():
        if full.startswith(prefix):
            part, name = full.removeprefix(prefix).split("/", 1)
            parts.setdefault(part, {})[name] = value.to(device)
    training.model.load_training_state(parts["model"])
    training.best_state = parts["best"]
    training.loss_sum = parts["loss"]["sum"]
    optimiser = training.optimiser.state_dict()
    optimiser["state"] = {
        int(part.removeprefix("optimiser.")): state
        for part, state in parts.items()
        if part.startswith("optimiser.")
    }
    for group, rate in zip(optimiser["param_groups"], header["rates"], strict=True):
        group["lr"] = rate
    training.optimiser.load_state_dict(optimiser)
    if training.plateau is not None:
        training.plateau.load_state_dict(header["plateau"])
    training.curve = [Epoch(**epoch) for epoch in header["curve"]]
    training.best_epoch, training.best_mae = header["best_epoch"], header["best_mae"]
    training.stopped = header["stopped"]


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return a file's header and tensors, once its digest is right."""
    with safe_open(path, framework="pt") as file:
        header = json.loads((file.metadata() or {})["amb"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if header["sha256"] != _digest(tensors):
        raise ValueError("its content has changed since it was written")
    return header, tensors


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
