"""Run commands of ``amb`` while everything that could run a file's code is watched.

Run as a program: ``python watched.py FILE.json`` reads a list of commands, runs each, and prints
as JSON how each ended and whatever was caught. Hooks of the interpreter cannot be taken off again,
so that it needs a process of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import sys
import traceback
from pathlib import Path

caught: list[str] = []
watching = False
# Events of the interpreter that no reading of a file causes. Libraries compile and run code of
# their own when they are imported, so ``exec`` and ``import`` cannot be among them.
EVENTS = {"pickle.find_class", "os.system", "os.posix_spawn", "os.exec", "marshal.loads"}


def hook(event: str, arguments: tuple) -> None:
    if not watching or event not in EVENTS:
        return
    if event == "marshal.loads" and by_the_import_system():
        return
    caught.append(f"{event} {arguments!r:.200} in {where()}")


def by_the_import_system() -> bool:
    return any("importlib" in frame.filename for frame in traceback.extract_stack())


def where() -> str:
    frames = [f for f in traceback.extract_stack() if f.filename != __file__]
    return " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames[-4:]))


def watch(owner: object, name: str) -> None:
    """Replace a function or class by one that tells when it is called."""
    original = getattr(owner, name)
    title = f"{getattr(owner, '__name__', owner)}.{name}"

    if isinstance(original, type):

        class Watched(original):
            def __init__(self, *arguments, **options):
                if watching:
                    caught.append(f"{title} in {where()}")
                super().__init__(*arguments, **options)

        setattr(owner, name, Watched)
        return

    def watched(*arguments, **options):
        if watching:
            caught.append(f"{title} in {where()}")
        return original(*arguments, **options)

    setattr(owner, name, watched)


def run(command: list[str]) -> dict:
    """Run a command of ``amb``, or, to see that the watch works, what it must never do."""
    global watching
    from amb.cli import main

    caught.clear()
    output = io.StringIO()
    watching = True
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            if command[0] == "unpickle":
                pickle.loads(Path(command[1]).read_bytes())
                status = 0
            else:
                status = main(command)
    except SystemExit as end:
        status = end.code
    except Exception as error:
        output.write(f"{type(error).__name__}: {error}")
        status = 1
    finally:
        watching = False
    return {"status": status, "caught": [*caught], "said": output.getvalue()[-2000:]}


def main(file: str) -> None:
    import numpy as np

    commands = json.loads(Path(file).read_text(encoding="utf-8"))
    sys.addaudithook(hook)
    for name in ("load", "loads", "Unpickler"):
        watch(pickle, name)
    watch(np, "load")
    if {"predict", "backbone"} & {command[0] for command in commands}:
        import torch  # takes seconds; commands that read no weights do without

        watch(torch, "load")
    print(json.dumps([run(command) for command in commands]))


if __name__ == "__main__":
    main(sys.argv[1])
