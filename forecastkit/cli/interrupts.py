"""Handling of Ctrl-C: two interrupts in quick succession count once, so that saving is not interrupted."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Exit code of a command stopped by Ctrl-C.
STOPPED = 130
#: Seconds during which further interrupts are ignored.
SECONDS = 1.0


@contextmanager
def single_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first Ctrl-C, ignore others for a second, and raise it at a later one.

    It applies only in the main thread and with Python's default handler.
    """
    default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if threading.current_thread() is not threading.main_thread() or not default:
        yield
        return
    last = [-SECONDS]

    def handle(number, frame):
        now = time.monotonic()
        if now - last[0] >= SECONDS:
            last[0] = now
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
