"""``amb status``: how far a study is, read from its results folder while it runs or after."""

from __future__ import annotations

import argparse
import io
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amb.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

HELP = "Show how far a study is: its runs, the time left, what failed and what to do about it."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "study", help="a study of config/ by its name, a study's YAML file, or its results folder"
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        help="the folder of all studies' results (default results)",
    )
    parser.add_argument(
        "--watch", action="store_true", help="show it anew every few seconds until all is done"
    )
    parser.add_argument(
        "--every", type=float, default=5.0, metavar="S", help="seconds between (default 5)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(args: argparse.Namespace) -> None:
    """Print the status, once or until the study is done."""
    from amb.status.study import resolve_study

    resolved, parent = resolve_study(args.study)
    results = Path(parent or args.results) / resolved["name"]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if args.json:
        _print_json(resolved, results)
    elif args.watch:
        _watch(resolved, results, args.every)
    else:
        _print(resolved, results)


def _print_json(resolved: dict[str, Any], results: Path) -> None:
    import json

    from amb.status.report import status_report
    from amb.status.study import read_status

    print(json.dumps(status_report(read_status(resolved, results)), indent=2, allow_nan=False))


def _print(resolved: dict[str, Any], results: Path) -> bool:
    """Print the status once; return whether the study is done."""
    from rich.console import Console

    from amb.status.study import read_status
    from amb.status.view import status_lines, status_table

    status = read_status(resolved, results)
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(status_table(status, console))
    else:
        print(printable("\n".join(status_lines(status))), flush=True)
    return status.finished


def _watch(resolved: dict[str, Any], results: Path, every: float) -> None:
    """Show the status again and again until the study is done; Ctrl-C ends it too."""
    from rich.console import Console

    console = Console(highlight=False)
    try:
        if console.is_terminal:
            _watch_live(resolved, results, every, console)
            return
        while not _print(resolved, results):
            time.sleep(every)
            print()
    except KeyboardInterrupt:
        return


def _watch_live(resolved: dict[str, Any], results: Path, every: float, console: Console) -> None:
    from rich.live import Live

    from amb.status.study import read_status
    from amb.status.view import status_table

    status = read_status(resolved, results)
    view = status_table(status, console)
    with Live(view, console=console, auto_refresh=False, vertical_overflow="visible") as live:
        while not status.finished:
            time.sleep(every)
            status = read_status(resolved, results)
            live.update(status_table(status, console), refresh=True)
