"""Many seeds of one method: one single-threaded process a core on a CPU, packs of them on a GPU.

On a CPU processes are the fast way (2.2 × on two cores, against 1.4 × for two threads, and no gain
from packs), and a run's bits do not depend on how many run beside it. Workers are copies of one
server process that has imported torch once; the process that gives them work does without it, so
tasks are named, not imported, here.
"""

from __future__ import annotations

import multiprocessing
import pkgutil
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any

from amb import termination
from amb.failures import KILLED_BY
from amb.training.job import Epoch, Job, Task
from amb.training.progress import RunProgress

# Of what forks of the server process need, what importing the task's module does not bring: the
# first optimiser of a process takes more than a second to import this.
LATE_IMPORTS = ("torch._dynamo",)

Message = tuple[int, Epoch] | None

_messages: Connection | None = None


def run_seeds(
    task: str,
    job: Job,
    seeds: Sequence[int],
    workers: int,
    progress: RunProgress,
    before: str | None = None,
) -> dict[int, BaseException]:
    """Do a task for all seeds; one that fails does not stop the others.

    Args:
        task: ``module:function`` of a ``Task``, such as ``amb.training.run:run_seed``.
        job: The method and its files.
        seeds: Seeds of the runs.
        workers: Processes at most; a GPU always takes one run after another.
        progress: Told of every epoch and every end.
        before: ``module:function`` of what is done once, with the job and its seeds, before the
            first of them; what it raises stops all.

    Returns:
        The seeds that failed, with their errors.
    """
    workers = min(workers, len(seeds))
    if workers <= 1 or job.device != "cpu":
        if before is not None:
            pkgutil.resolve_name(before)(job, seeds)
        return _run_in_turn(pkgutil.resolve_name(task), job, seeds, progress)
    context = multiprocessing.get_context("forkserver")
    modules = [name.partition(":")[0] for name in (task, before) if name is not None]
    context.set_forkserver_preload([*modules, *(LATE_IMPORTS if before is not None else ())])
    # A pipe without a lock: a worker killed while it held one would block all others for ever. A
    # message is far shorter than PIPE_BUF (4,096 bytes), so the kernel writes it whole or not.
    received, messages = context.Pipe(duplex=False)
    listener = threading.Thread(target=_listen, args=(received, progress), daemon=True)
    listener.start()
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(messages,))
    try:
        if before is not None:
            _do_before(pool, before, job, seeds)
        futures = {pool.submit(_work, task, job, seed): seed for seed in seeds}
        processes = _watched(pool)
        failed = _collect(futures, progress)
        _name_signals(failed, processes)
        return failed
    except BaseException:
        _stop(pool)
        raise
    finally:
        messages.send(None)
        listener.join()
        pool.shutdown(cancel_futures=True)


def _do_before(pool: ProcessPoolExecutor, before: str, job: Job, seeds: Sequence[int]) -> None:
    done = pool.submit(_call, before, job, seeds)
    processes = _watched(pool)
    error = done.exception()
    if error is not None:
        _name_signals({seeds[0]: error}, processes)
        raise error


def _run_in_turn(
    task: Task, job: Job, seeds: Sequence[int], progress: RunProgress
) -> dict[int, BaseException]:
    failed: dict[int, BaseException] = {}
    for seed in seeds:
        try:
            progress.end(seed, task(job, seed, _reporter(progress, seed)))
        except Exception as error:
            failed[seed] = error
            progress.end(seed, f"failed: {error}")
    return failed


def _reporter(progress: RunProgress, seed: int) -> Callable[[Epoch], None]:
    return lambda epoch: progress.epoch(seed, epoch)


def _collect(futures: dict[Future[str], int], progress: RunProgress) -> dict[int, BaseException]:
    failed: dict[int, BaseException] = {}
    for future in as_completed(futures):
        seed, error = futures[future], future.exception()
        if error is None:
            progress.end(seed, future.result())
        else:
            failed[seed] = error
            progress.end(seed, f"failed: {error}")
    return failed


def _listen(received: Connection, progress: RunProgress) -> None:
    message: Message
    while (message := received.recv()) is not None:
        progress.epoch(*message)


def _start_worker(messages: Connection) -> None:
    global _messages
    _messages = messages
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker if the process that gave it work is killed.

    It would train on beside the next attempt at the same runs.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        termination.end_soon()


def _watched(pool: ProcessPoolExecutor) -> list[Any]:
    """Return the workers that have tasks now, after one more task that does nothing.

    The pool looks again at which workers live before, not after, it starts one for a task: without
    one more it would never see the end of the last (seen with CPython 3.11).
    """
    pool.submit(_nothing)
    return _processes_of(pool)


def _nothing() -> None:
    pass


def _call(name: str, job: Job, seeds: Sequence[int]) -> None:
    pkgutil.resolve_name(name)(job, seeds)


def _work(task: str, job: Job, seed: int) -> str:
    assert _messages is not None
    messages, function = _messages, pkgutil.resolve_name(task)
    return str(function(job, seed, lambda epoch: messages.send((seed, epoch))))


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers at once, where an interrupt must not wait for their epochs."""
    for process in _processes_of(pool):
        process.terminate()


def _processes_of(pool: ProcessPoolExecutor) -> list[Any]:
    processes: dict[int, Any] = getattr(pool, "_processes", None) or {}
    return list(processes.values())


def _name_signals(failed: Mapping[int, BaseException], processes: Sequence[Any]) -> None:
    """Note on a broken pool's errors which signals ended workers; it ends others by SIGTERM."""
    # One error may stand for several seeds, and is to have the note once.
    broken = {id(e): e for e in failed.values() if isinstance(e, BrokenProcessPool)}
    if not broken:
        return
    for process in processes:
        process.join()
    codes = {process.exitcode for process in processes if (process.exitcode or 0) < 0}
    first = codes - {-signal.SIGTERM} or codes
    for error in broken.values():
        error.add_note(KILLED_BY + ", ".join(sorted(signal.Signals(-code).name for code in first)))
