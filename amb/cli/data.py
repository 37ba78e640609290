"""``amb data``: make the store of a study, or show what is in one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "Make the store of a study from its sources, or show what a store holds."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare ``prepare`` and ``show``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    prepare = actions.add_parser("prepare", help="read the sources, check them, write the store")
    prepare.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    prepare.add_argument("--out", type=Path, required=True, help="the store's folder, replaced")
    prepare.add_argument(
        "--data-root",
        type=Path,
        help="folder that the study's paths are relative to (default: AMB_DATA_ROOT, else data)",
    )
    show = actions.add_parser("show", help="print counts, dimensions, repairs and hash")
    show.add_argument("store", type=Path, help="the store's folder")
    show.add_argument(
        "--verify", action="store_true", help="also compare all open content with its hashes"
    )


def run(args: argparse.Namespace) -> None:
    """Run ``amb data prepare`` or ``amb data show``."""
    from amb.data.store import Store

    if args.action == "show":
        store = Store.open(args.store)
        if args.verify:
            store.verify()
    else:
        from amb.data.prepare import prepare_store
        from amb.data.sources import default_data_root
        from amb.study import load_study

        prepare_store(load_study(args.study), args.data_root or default_data_root(), args.out)
        store = Store.open(args.out)
    print(summary(store.card))


def summary(card: dict[str, Any]) -> str:
    """Return a store's card in a few lines of text."""
    lines = [f"release: {card['release']}"] if "release" in card else []
    lines += [
        "{}: {utterances} utterances of {videos} videos".format(split, **card["counts"][split])
        for split in ("train", "valid", "test")
    ]
    for modality, dimension in card["dimensions"].items():
        alignment = "word-aligned" if card["word_aligned"][modality] else "not word-aligned"
        constant = sum(std == 0 for std in card["normalisation"][modality]["std"])
        lines.append(f"{modality}: {dimension} features ({constant} constant), {alignment}")
    low, high = card["label_range"]
    lines.append(f"labels of train and valid: {low:g} to {high:g}")
    lines += [f"{name.replace('_', ' ')}: {n}" for name, n in card["repairs"].items() if n]
    lines.append(f"content SHA-256: {card['content_hash']}")
    return "\n".join(lines)
