"""MMSA's bert_mag as a contender; runs where MMSA 2.2.1 is installed.

python -m benchmarks.contender_mmsa PICKLE BACKBONE

The arguments are those that ``MMSA_run`` makes of its configuration for CMU-MOSI, with the pickle
as the custom feature file and no worker processes for the data, so that their cost is counted. The
steps are those of MMSA's trainer (``trains/singleTask/BERT_MAG.py``), line by line, without the
metrics of the epoch. MMSA names ``bert-base-uncased`` and 768 hidden units in its source: the
process runs in a folder where that name is a link to BACKBONE, and the size is set to BACKBONE's.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import torch
from MMSA.config import get_config_regression
from MMSA.data_loader import MMDataLoader
from MMSA.models import AMIO
from torch import nn

from benchmarks.contender import serve

ROW = "bert_mag"


class Trainer:
    """Takes MMSA's training steps.

    Args:
        pickle: Data in MMSA's layout.
        hidden_size: Of the backbone.
    """

    def __init__(self, pickle: str, hidden_size: int) -> None:
        self.args = get_config_regression(ROW, "mosi")
        self.args.update(train_mode="regression", custom_feature=pickle, device="cpu")
        self.args.update(feature_T="", feature_A="", feature_V="")
        loaders = MMDataLoader(self.args, num_workers=0)
        self.args["feature_dims"][0] = hidden_size
        self.model = AMIO(self.args).to(self.args.device)
        self.criterion = nn.L1Loss()
        self.optimizer = torch.optim.Adam(
            self.model.parameters(),
            lr=self.args.learning_rate,
            weight_decay=self.args.weight_decay,
        )
        self.batches = self._endless(loaders["train"])
        self.model.train()

    def take_steps(self, steps: int) -> int:
        """Take steps; return the number of utterances shown."""
        utterances, y_pred, y_true, train_loss = 0, [], [], 0.0
        for _ in range(steps):
            batch_data = next(self.batches)
            vision = batch_data["vision"].to(self.args.device)
            audio = batch_data["audio"].to(self.args.device)
            text = batch_data["text"].to(self.args.device)
            labels = batch_data["labels"]["M"].to(self.args.device)
            labels = labels.view(-1, 1)
            self.optimizer.zero_grad()
            outputs = self.model(text, audio, vision)["M"]
            loss = self.criterion(outputs, labels)
            loss.backward()
            self.optimizer.step()
            train_loss += loss.item()
            y_pred.append(outputs.cpu())
            y_true.append(labels.cpu())
            utterances += len(labels)
        return utterances

    def _endless(self, loader: torch.utils.data.DataLoader) -> Iterator[dict]:
        while True:
            yield from loader


def main() -> None:
    """Build the model and serve."""
    pickle, backbone = (Path(argument).resolve() for argument in sys.argv[1:])
    hidden_size = json.loads((backbone / "config.json").read_text())["hidden_size"]
    torch.manual_seed(1111)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("bert-base-uncased").symlink_to(backbone)
        trainer = Trainer(str(pickle), hidden_size)
        os.chdir("/")
    facts = {name.lower(): version(name) for name in ("MMSA", "transformers")}
    trainable = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    rows = {ROW: trainer.take_steps}
    serve(rows, {**facts, "trainable": {ROW: trainable}, "batch_size": trainer.args.batch_size})


if __name__ == "__main__":
    main()
