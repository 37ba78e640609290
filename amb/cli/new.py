"""``amb new``: start something of your own from a template."""

from __future__ import annotations

import argparse

HELP = "start a method of your own: write its file, and say what comes next"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare ``method``."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    method = kinds.add_parser("method", help="a small fusion model that works, to change")
    method.add_argument("name", metavar="NAME", help="of the file and the row, such as my_method")


def run(args: argparse.Namespace) -> None:
    """Write the file and print what to do next."""
    from amb.templates.new_method import title, write_method

    file = write_method(args.name)
    print(f"""wrote {file}

Try it:             python -m pytest tests/baselines -k {args.name}
In a study, below `methods:`
  {args.name}: {{label: "{title(args.name)}"}}
What comes next:    docs/add-a-method.md""")
