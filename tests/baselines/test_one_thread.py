"""Linear algebra on one thread."""

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import ThreadpoolController

from forecastkit.baselines import sufficient_statistics
from forecastkit.baselines.sufficient_statistics import one_thread


def threads():
    found = ThreadpoolController().info()
    return {one["filepath"]: one["num_threads"] for one in found if one["user_api"] == "blas"}


def test_the_limit_ends_with_the_block_and_blocks_nest():
    assert scipy.linalg.cholesky(np.eye(3)).shape == (3, 3)  # its library is loaded
    sufficient_statistics._controller.cache_clear()
    before = threads()
    with one_thread():
        with one_thread():
            assert set(threads().values()) == {1}
        assert set(threads().values()) == {1}
    assert threads() == before
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert threads() == before


def test_without_threadpoolctl_nothing_is_limited(monkeypatch):
    monkeypatch.setattr(sufficient_statistics, "_controller", lambda with_scipy: None)
    with one_thread():
        assert np.linalg.solve(np.eye(2), np.ones(2)).sum() == 2
