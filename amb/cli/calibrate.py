"""``amb calibrate``: do the suite's tests keep their level where the truth is known?"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from amb.errors import InputError

HELP = "Simulate true nulls and count how often the suite's tests reject them."
REPLICATES = 3000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb calibrate``."""
    parser.add_argument(
        "--out-dir", type=Path, default=Path("results/calibration"), help="folder to write to"
    )
    parser.add_argument(
        "--replicates", type=int, default=REPLICATES, help="replicates a cell (%(default)s)"
    )
    parser.add_argument("--seed", type=int, help="seed of the study")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (one a core)"
    )
    parser.add_argument(
        "--page", type=Path, help="Markdown page to write as well (here: docs/calibration.md)"
    )


def run(args: argparse.Namespace) -> None:
    """Run the study, or what of it is not there yet, write it, then fail if a promise is broken.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: There is no replicate, or a test does not keep its level; everything is written
            then too.
    """
    from amb.reporting.calibration import faults, write_calibration, write_calibration_page
    from amb.statistics.calibration.cells import all_scenarios
    from amb.statistics.calibration.run import SEED, Settings, calibrate
    from amb.statistics.calibration.summary import calibration_table

    if args.replicates < 1:
        raise InputError("--replicates", "value", args.replicates, "at least 1")
    settings = Settings(args.replicates, SEED if args.seed is None else args.seed)
    rows = calibrate(
        all_scenarios(), settings, args.out_dir / "cells", args.workers, _print_at_once
    )
    table = calibration_table(rows)
    write_calibration(args.out_dir, table, settings.seed)
    if args.page is not None:
        write_calibration_page(args.page, table, settings.seed)
    broken = faults(table)
    if broken:
        (cell, rate, expected), *others = broken
        hint = f"Also out: {'; '.join(where for where, *_ in others)}" if others else None
        raise InputError(args.out_dir / "calibration.csv", cell, rate, expected, hint)
    print(f"{len(table)} rates, no test breaks its promise")


def _print_at_once(line: str) -> None:
    print(line, flush=True)
