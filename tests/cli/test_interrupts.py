from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from nsfwforensics.cli.interrupts import interrupts_held


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """A suite in the background inherits an ignored Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("written")
        done.append("counted")
    assert done == ["written", "counted"]


def test_afterwards_an_interrupt_takes_effect_at_once() -> None:
    with interrupts_held():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts_held():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_an_error_in_the_block_is_not_hidden() -> None:
    with pytest.raises(OSError, match="full"), interrupts_held():
        os.kill(os.getpid(), signal.SIGINT)
        raise OSError("full")


def test_in_another_thread_nothing_is_changed() -> None:
    found: list[object] = []

    def work() -> None:
        with interrupts_held():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]
