"""``amb merge``: results of one study from several machines, joined."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

HELP = "join the runs of several results folders of one study; others are refused"
MOST_NAMED = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = "results folder of one machine; it stays as it is"
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help=what)
    out = "results folder to make, results/STUDY of a checkout; it must not exist"
    parser.add_argument("--out", type=Path, required=True, metavar="RESULTS", help=out)


def run(args: argparse.Namespace) -> None:
    """Merge, and say what was taken and what comes next.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: The folders cannot be merged; nothing was written.
    """
    from amb.merging.merge import merge_results

    merged = merge_results(args.results, args.out)
    print(f"{args.out}: {len(merged.runs)} runs of study {merged.study}")
    taken = Counter(merged.runs.values())
    twice = Counter(source for _, source in merged.twice)
    for source in dict.fromkeys(args.results):
        same = f", {twice[source]} there already in the same bits" if twice[source] else ""
        print(f"  {source}: {taken[source]} runs{same}")
    if merged.unfinished:
        names = [f"{method} {seed} in {source}" for (method, seed), source in merged.unfinished]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        print(f"  left, for they are not finished: {', '.join(names[:MOST_NAMED])}{more}")
    print(
        f"Next, in a checkout where this is results/{merged.study}:"
        f" snakemake --cores all --config study={merged.study}\n"
        "It finds these runs complete, trains only runs that are missing, and makes the tables."
    )
