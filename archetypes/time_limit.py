"""A limit to the computing time that one file may take, so that no input can hang a command.

CPU time counts, not waiting, so that a busy machine refuses nothing. The limit holds where a signal can
interrupt: in the main thread of a process on Unix. Elsewhere nothing is limited.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from archetypes.errors import HelsekortError

SECONDS_PER_MEGABYTE = 1.0
MEGABYTE = 1_000_000


class TimeLimitExceeded(HelsekortError):
    """A file took longer than a file of its size may take."""

    code = "file.time_limit"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not done within {seconds:g} s of computing time")
        self.seconds = seconds


@contextmanager
def time_limit(size: int) -> Iterator[None]:
    """Work on ``size`` bytes: one second for each megabyte begun. Raises TimeLimitExceeded."""
    seconds = SECONDS_PER_MEGABYTE * (size // MEGABYTE + 1)
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_: int, __: FrameType | None) -> None:
        raise TimeLimitExceeded(seconds)

    previous = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
