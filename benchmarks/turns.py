"""Two commands in turns, so that both meet the same machine: while one runs the other is stopped.

One after the other a short command and a long one measure different minutes, and machines that are shared get slower
and faster by a third within such a time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Self

from benchmarks.measure import Cost, measure

_HERE = Path(__file__).resolve().parent.parent


class _Turn:
    """A command in a session of its own, stopped but for its turns."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.seconds = 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.turns", *map(str, command)],
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd=_HERE,
        )
        os.killpg(self._process.pid, signal.SIGSTOP)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def take(self, seconds: float) -> bool:
        """Runs it for so long, or to its end.

        Returns:
            Whether there is more to do.
        """
        began = time.perf_counter()
        os.killpg(self._process.pid, signal.SIGCONT)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGSTOP)
            return True
        finally:
            self.seconds += time.perf_counter() - began
        return False

    def cost(self) -> Cost:
        """What it cost in its turns.

        Raises:
            subprocess.CalledProcessError: It failed.
        """
        said, _ = self._process.communicate()
        if self._process.returncode:
            raise subprocess.CalledProcessError(self._process.returncode, self._process.args)
        return replace(Cost(**json.loads(said)), seconds=self.seconds)


def in_turns(short: Sequence[str | Path], long: Sequence[str | Path], *, share: float) -> tuple[Cost, Cost]:
    """Runs two commands by turns until both are done.

    Args:
        short: The one that is expected to take less time; its turns are of two seconds.
        long: The other one.
        share: How many times longer the turns of the other one are: as long as it is expected to take, so that both
            end at about the same time. What is left of one when the other has ended runs by itself.

    Returns:
        What each cost. Their seconds are those of their turns.

    Raises:
        subprocess.CalledProcessError: One of them failed.
    """
    with _Turn(short) as one, _Turn(long) as other:
        more = [True, True]
        while any(more):
            for place, (turn, seconds) in enumerate(((one, 2.0), (other, 2.0 * share))):
                more[place] = more[place] and turn.take(seconds)
        return one.cost(), other.cost()


if __name__ == "__main__":
    # Seldom: a look at the memory of several processes takes of one command's time what it does not of another's.
    print(json.dumps(asdict(measure(sys.argv[1:], sampling=0.005))))
