"""Number of threads of linear algebra."""

import threading
from contextlib import contextmanager
from functools import cache

_LIMIT = threading.RLock()


@contextmanager
def one_thread():
    """Compute linear algebra on one thread within the block.

    Small factorisations gain nothing from several threads, and where other processes use the cores, threads that wait
    for each other take twenty times as long. The limit is that of the process, so blocks of several threads exclude
    each other.
    """
    limits = _controller()
    if limits is None:
        yield
        return
    with _LIMIT, limits.limit(limits=1, user_api="blas"):
        yield


@cache
def _controller():
    """Return the controller of the loaded libraries, which takes milliseconds to make; None without threadpoolctl."""
    try:
        import scipy.linalg  # noqa: F401  # it has a library of its own, which must be loaded to be found
        from threadpoolctl import ThreadpoolController
    except ModuleNotFoundError:  # an installation for forecasting
        return None
    return ThreadpoolController()
