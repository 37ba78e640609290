"""Ending in good order: on SIGTERM with the training's state kept, and with one's workflow.

Batch systems send SIGTERM to every process of a job and, after a time of grace, SIGKILL. A training
then keeps its state after the step that it is in, and ends as by the signal. Whoever kills a
workflow manager leaves its jobs running: they would work beside the next attempt at the same files
and hold their GPU. So the workflow tells its jobs which process it is, and they end with it.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

WORKFLOW_VARIABLE = "AMB_WORKFLOW_PROCESS"
GRACE_S = 20.0  # for a step of training and for keeping its state, once its workflow is gone
POLL_S = 1.0  # where the system cannot tell of the end of a process

_asked = threading.Event()


def this_process() -> str:
    """Return this process as ``AMB_WORKFLOW_PROCESS`` names it: number, birth and machine."""
    from amb.heartbeat import birth_of, machine

    return f"{os.getpid()} {birth_of(os.getpid())} {machine()}"


def end_with_workflow() -> None:
    """Let this process end when the workflow that started it does; nothing without a workflow."""
    if WORKFLOW_VARIABLE not in os.environ:
        return  # before any import: ``amb --help`` and the like shall be instant
    from amb.heartbeat import machine

    number, _, rest = os.environ[WORKFLOW_VARIABLE].partition(" ")
    birth, _, where = rest.partition(" ")
    if where != machine() or not number.isdigit() or not birth.isdigit():
        return  # started by hand, on a system without births, or in a container of its own
    arguments = (int(number), int(birth))
    threading.Thread(target=_end_after, args=arguments, daemon=True).start()


def end_soon() -> None:
    """Send this process SIGTERM, and end it for certain after ``GRACE_S`` seconds.

    All that is written is written under another name first, so nothing is left half-written.
    """
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


@contextmanager
def postponed_sigterm() -> Iterator[None]:
    """Let SIGTERM wait within a block, until ``end_if_asked`` or the end of the block.

    Outside a process's main thread it has no effect: Python handles signals there only.

    Yields:
        Nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: _asked.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        end_if_asked()


def is_asked_to_end() -> bool:
    """Whether SIGTERM has come and waits."""
    return _asked.is_set()


def end_if_asked() -> None:
    """End as by the SIGTERM that waits; do nothing if none does."""
    if _asked.is_set():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


def _end_after(pid: int, birth: int) -> None:
    """End this process after another one."""
    from amb.heartbeat import process_lives

    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or it is gone already
        while process_lives(pid, birth):
            time.sleep(POLL_S)
    else:
        if process_lives(pid, birth):
            select.select([handle], [], [])
        os.close(handle)
    end_soon()
