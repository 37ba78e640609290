"""Steps end with the workflow that started them; a training keeps its state first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from amb import termination
from amb.heartbeat import birth_of, machine

PATIENCE_S = 60
STEP = """
import time
from amb.termination import end_with_workflow, is_asked_to_end, end_if_asked, postponed_sigterm
end_with_workflow()
with postponed_sigterm():
    print("at work", flush=True)
    while not is_asked_to_end():
        time.sleep(0.01)
    print("state kept", flush=True)
print("never said", flush=True)
"""


def start_step(workflow):
    environment = {**os.environ, termination.WORKFLOW_VARIABLE: workflow}
    command = [sys.executable, "-c", STEP]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_step_ends_with_its_workflow_and_keeps_its_state_first():
    workflow = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    birth = birth_of(workflow.pid)
    step = start_step(f"{workflow.pid} {birth} {machine()}")
    assert step.stdout.readline() == "at work\n"
    time.sleep(0.1)
    assert step.poll() is None
    workflow.kill()
    workflow.wait()
    assert step.wait(PATIENCE_S) == -signal.SIGTERM
    assert step.stdout.read() == "state kept\n"


def test_a_step_whose_workflow_is_gone_already_ends():
    step = start_step(f"{os.getpid()} 1 {machine()}")  # the number is another process's by now
    assert step.wait(PATIENCE_S) == -signal.SIGTERM
    step.stdout.close()


def test_a_step_started_by_hand_or_on_another_machine_lives():
    for workflow in ("", "1 1 another machine", "rubbish"):
        step = start_step(workflow)
        assert step.stdout.readline() == "at work\n"
        time.sleep(0.2)
        assert step.poll() is None
        step.kill()
        step.wait()
        step.stdout.close()


def test_this_process_is_named_as_steps_read_it(monkeypatch):
    monkeypatch.setenv(termination.WORKFLOW_VARIABLE, termination.this_process())
    before = threading.active_count()
    termination.end_with_workflow()
    assert threading.active_count() == before + 1


def test_outside_the_main_thread_signals_are_left_alone():
    handlers = []

    def work():
        with termination.postponed_sigterm():
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGTERM)]
