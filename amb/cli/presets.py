"""``amb presets``: the rows that a study can name."""

from __future__ import annotations

import argparse

HELP = "list the presets: rows that a study can name, and where their values come from"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", nargs="?", help="show this one in full, as YAML")


def run(args: argparse.Namespace) -> None:
    """Print the presets, or one of them.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: There is no preset of that name.
    """
    import dataclasses

    import yaml

    from amb.errors import InputError
    from amb.presets import load_presets, presets_folder

    presets = load_presets()
    if args.name is None:
        for name, preset in presets.items():
            print(f"{name}: {preset.description or preset.label} [{preset.source}]")
        return
    if args.name not in presets:
        raise InputError(presets_folder(), "preset", args.name, f"one of {', '.join(presets)}")
    content = {args.name: dataclasses.asdict(presets[args.name])}
    print(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), end="")
