"""``amb data``: inspect files, make a store of them, show what is in one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HELP = "Inspect data files, convert them to a store, make a study's store, show a store."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare ``layouts``, ``inspect``, ``import``, ``prepare`` and ``show``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("layouts", help="list the layouts that can be read, and what they can say")
    inspect = actions.add_parser("inspect", help="tell what a file is, without running it")
    inspect.add_argument("file", type=Path, help="a file of unknown kind and origin")
    inspect.add_argument("--json", action="store_true", help="print JSON")
    _configure_import(actions.add_parser("import", help="convert files to a store"))
    prepare = actions.add_parser("prepare", help="make the store of a study from its sources")
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


def _configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="[ROLE=]FILE",
        help="the files; a role names a file where its content does not tell, as in labels=x.csd",
    )
    parser.add_argument("--out", type=Path, required=True, help="the store's folder, replaced")
    parser.add_argument("--reader", help="use this reader and do not go by the content")
    parser.add_argument(
        "--dataset",
        choices=("mosi", "mosei", "sims", "other"),
        default="other",
        help="check the split sizes of this data set (default: other, no check)",
    )
    parser.add_argument("--label-offset", type=float, default=0.0, help="added to labels (h5)")
    parser.add_argument("--folds", type=Path, help="split of each video, for one file of MISA's")
    parser.add_argument(
        "--largest-nonfinite-share",
        type=float,
        default=0.05,
        help="share of NaN and infinite values up to which they become 0 (default 0.05)",
    )
    parser.add_argument(
        "--leakage-alarm",
        choices=("off", "warn", "refuse"),
        default="off",
        help="probe the features for leaked labels (default off)",
    )


def run(args: argparse.Namespace) -> None:
    """Run one of the actions."""
    _ACTIONS[args.action](args)


def _layouts(args: argparse.Namespace) -> None:
    from amb.data.formats.layouts import LAYOUTS

    for name, layout in LAYOUTS.items():
        print(f"{name}: {layout.title}\n  says: {layout.holds}\n  cannot say: {layout.lacks}")
        if layout.needs:
            print(f"  needs: {layout.needs}")


def _inspect(args: argparse.Namespace) -> None:
    import json

    from amb.cli.inspection_text import render
    from amb.data.inspection.report import inspect_file
    from amb.printable import printable

    found = inspect_file(args.file)
    print(json.dumps(found.as_json(), indent=2) if args.json else printable(render(found)))


def _import(args: argparse.Namespace) -> None:
    import yaml

    from amb.data.imports import ImportRequest, import_files
    from amb.data.store import Store

    files = [_role_and_file(given) for given in args.files]
    request = ImportRequest(
        files,
        args.reader,
        args.dataset,
        args.label_offset,
        args.folds,
        args.largest_nonfinite_share,
        args.leakage_alarm,
    )
    with _progress("features") as on_bytes:
        section = import_files(request, args.out, on_bytes)
    print(summary(Store.open(args.out).card))
    print("in a study:\n" + yaml.safe_dump({"data": section}, sort_keys=False).rstrip())


def _role_and_file(given: str) -> tuple[str | None, Path]:
    role, separator, file = given.partition("=")
    if separator and role.isidentifier() and not Path(given).exists():
        return role, Path(file)
    return None, Path(given)


def _prepare(args: argparse.Namespace) -> None:
    from amb.data.prepare import prepare_store
    from amb.data.sources import default_data_root
    from amb.data.store import Store
    from amb.study import load_study

    with _progress("features") as on_bytes:
        data_root = args.data_root or default_data_root()
        prepare_store(load_study(args.study), data_root, args.out, on_bytes)
    print(summary(Store.open(args.out).card))


def _show(args: argparse.Namespace) -> None:
    from amb.data.store import Store

    store = Store.open(args.store)
    if args.verify:
        store.verify()
    print(summary(store.card))


_ACTIONS: dict[str, Callable[[argparse.Namespace], None]] = {
    "layouts": _layouts,
    "inspect": _inspect,
    "import": _import,
    "prepare": _prepare,
    "show": _show,
}


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many bytes have been written; a log gets nothing."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda count: progress.advance(task, count)


def summary(card: dict[str, Any]) -> str:
    """Return a store's card in a few lines of text."""
    lines = [f"release: {card['release']}"] if "release" in card else []
    lines += [
        "{}: {utterances} utterances of {videos} videos".format(split, **card["counts"][split])
        for split in ("train", "valid", "test")
    ]
    if not card["has_text"]:
        lines.append("no text")
    for modality, dimension in card["dimensions"].items():
        alignment = "word-aligned" if card["word_aligned"][modality] else "not word-aligned"
        constant = sum(std == 0 for std in card["normalisation"][modality]["std"])
        lines.append(f"{modality}: {dimension} features ({constant} constant), {alignment}")
    low, high = card["label_range"]
    lines.append(f"labels of train and valid: {low:g} to {high:g}")
    lines += [f"{name.replace('_', ' ')}: {n}" for name, n in card["repairs"].items() if n]
    for modality, found in card.get("leakage", {}).items():
        lines.append(f"{modality}: {_leakage(found)}")
    lines.append(f"content SHA-256: {card['content_hash']}")
    return "\n".join(lines)


def _leakage(found: dict[str, Any]) -> str:
    """Return one line on the probe of a modality."""
    tests = [
        f"{name} test p = {found[key]:.3g}"
        for name, key in (("split", "split_p"), ("mixture", "mixture_p"))
        if found[key] is not None
    ]
    verdict = "LEAKAGE ALARM" if found["alarm"] else "no leakage alarm"
    return f"{verdict} ({', '.join(tests) or 'could not be tested'})"
