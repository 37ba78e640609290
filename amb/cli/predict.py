"""``amb predict``: predictions of one trained model for the utterances of any store."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

HELP = "predict the utterances of a store with a trained model; labels are not needed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--checkpoint", required=True, help="a run's folder, an exported folder or a hub name"
    )
    parser.add_argument("--input", type=Path, required=True, help="the store's folder")
    parser.add_argument("--out", type=Path, required=True, help="file to write, .csv or .parquet")
    parser.add_argument("--split", choices=("train", "valid", "test"), help="default: all")
    parser.add_argument("--backbone", help="folder or name (default: the one of training)")
    parser.add_argument("--gpus", type=int, default=1, help="0: stay on the CPU (default 1)")


def run(args: argparse.Namespace) -> None:
    """Predict and write utterance, video, split and prediction."""
    from amb import AmbForSentiment
    from amb.cli.run_arguments import choose_device
    from amb.data.store import Store
    from amb.errors import InputError

    if args.out.suffix not in (".csv", ".parquet"):
        raise InputError(args.out, "suffix", args.out.suffix, ".csv or .parquet")
    store = Store.open(args.input, with_labels=False)
    model = AmbForSentiment.load(args.checkpoint, args.backbone, choose_device(args.gpus))
    rows = store.utterances
    if args.split is not None:
        rows = rows[rows["split"] == args.split]
    table = rows[["id", "video", "split"]].rename(columns={"id": "utterance"})
    _write(table.assign(prediction=model.predict_store(store, args.split)), args.out)
    print(f"{args.out}: {len(table)} predictions")


def _write(table: pd.DataFrame, file: Path) -> None:
    from amb.files import atomic_path

    with atomic_path(file) as temporary:
        if file.suffix == ".csv":
            table.to_csv(temporary, index=False)
        else:
            table.to_parquet(temporary, index=False)
