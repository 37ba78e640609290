"""A tiny study whose undisturbed run is known, and folders in which it can be disturbed."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from damage import OUTPUTS, Ended, amb, differences, missing, orphans
from outcomes import Outcome

METHOD = "amb"
SEEDS = (1111, 1112)
STORE_FILES = ("utterances.parquet", "features.safetensors", "labels.parquet", "card.json")


@dataclass
class Site:
    """A study, its inputs and its undisturbed run.

    Attributes:
        folder: Where all of it lies.
        study: The study file.
        store: The store's folder.
        backbone: The prepared backbone's folder.
        seconds: What each command took, undisturbed.
    """

    folder: Path
    study: Path
    store: Path
    backbone: Path
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def runs(self) -> Path:
        """The undisturbed runs."""
        return self.folder / "undisturbed" / "runs"

    def size(self, name: str) -> int:
        """Bytes of a file of the undisturbed run of the first seed."""
        return (self.runs / METHOD / f"seed{SEEDS[0]}" / name).stat().st_size

    def prepare(self, store: Path) -> list[str | Path]:
        return ["data", "prepare", "--study", self.study, "--out", store]

    def train(self, results: Path, seeds=SEEDS[:1], keep: float = 10, **inputs: Path):
        own = ["--keep-minutes", str(keep)]
        return ["train", *self._run_arguments(results, seeds, **inputs), *own]

    def evaluate(self, results: Path, seeds=SEEDS[:1], **inputs: Path):
        return ["evaluate", *self._run_arguments(results, seeds, **inputs)]

    def score(self, results: Path):
        names = {"--out-scores": "scores.csv", "--out-summary": "summary.csv"}
        outs = [part for option, name in names.items() for part in (option, results / name)]
        return ["score", "--study", self.study, "--runs", results / "runs", *outs]

    def _run_arguments(self, results: Path, seeds, **inputs: Path):
        read = {"store": self.store, "backbone": self.backbone, **inputs}
        files = ["--study", self.study, "--store", read["store"]]
        files += ["--backbone", read["backbone"], "--runs", results / "runs"]
        return [*files, "--method", METHOD, "--seeds", *map(str, seeds), "--gpus", "0"]

    def make_undisturbed(self) -> None:
        """Run everything once, and note how long it took."""
        results = self.folder / "undisturbed"
        for name, command in {
            "start": ["presets"],  # of the process that imports what commands need
            "train": self.train(results),
            "rest": self.train(results, SEEDS[1:]),
            "evaluate": self.evaluate(results, SEEDS),
            "score": self.score(results),
        }.items():
            start = time.monotonic()
            ended = amb(command, self.folder / f"{name}.log")
            assert ended.status == 0, ended.said
            self.seconds[name] = time.monotonic() - start

    def finished(self, results: Path) -> Path:
        """Copy the undisturbed results into a folder."""
        return Path(shutil.copytree(self.folder / "undisturbed", results, dirs_exist_ok=True))

    def rerun(self, results: Path, seeds=SEEDS[:1], score: bool = False) -> list[Ended]:
        """Give the commands again; return how they ended, up to the first that failed."""
        commands = [self.train(results, seeds), self.evaluate(results, seeds)]
        ends: list[Ended] = []
        for command in [*commands, *([self.score(results)] if score else [])]:
            ends.append(amb(command, self.folder / "rerun.log"))
            if ends[-1].status != 0:
                break
        return ends

    def note(
        self,
        outcome: Outcome,
        results: Path,
        seeds=SEEDS[:1],
        score: bool = False,
        taken: bool | None = None,
    ) -> list[Ended]:
        """After a fault: look for harm, give the commands again, compare, and count.

        Args:
            outcome: Counts it.
            results: The results folder that was disturbed.
            seeds: The runs that it was about.
            score: Whether to make the table too.
            taken: Whether a command took a damaged file for whole; None: no file was damaged by
                hand, and every one that stands under its final name must be right.

        Returns:
            How the commands ended.
        """
        half_written = len(self.harmed(results)) if taken is None else int(taken)
        left = orphans()
        ends = self.rerun(results, seeds, score)
        reran = all(end.status == 0 for end in ends)
        equal = not self.harmed(results) and not self.unfinished(results, seeds)
        outcome.note(reran, equal, half_written, left)
        return ends

    def harmed(self, results: Path) -> list[str]:
        """Return files under their final name that are not those of the undisturbed run."""
        odd = differences(results / "runs", self.runs)
        for name in ("scores.csv", "summary.csv"):
            file = results / name
            if file.exists() and file.read_bytes() != self.table(name):
                odd.append(str(file))
        return odd

    def table(self, name: str) -> bytes:
        """The bytes of an undisturbed table."""
        return (self.folder / "undisturbed" / name).read_bytes()

    def unfinished(self, results: Path, seeds) -> list[str]:
        """Return what some runs lack."""
        names = [f"seed{seed}/" for seed in seeds]
        lacks = missing(results / "runs", self.runs, OUTPUTS)
        return [file for file in lacks if any(name in file for name in names)]


def study_text(text: str) -> str:
    """Return the tiny study with one row, which reaches its end within a second."""
    content = yaml.safe_load(text)
    content["methods"] = {METHOD: {}}
    content["training"] = {"max_epochs": 3, "patience": 3, "batch_size": 6}
    content["statistics"] = {**content["statistics"], "reference": METHOD}
    return yaml.safe_dump(content, sort_keys=False)
