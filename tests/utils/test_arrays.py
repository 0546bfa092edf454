"""Work on all cores, and linear algebra on one."""

import sys
from contextlib import ExitStack
from threading import Barrier, Thread

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import ThreadpoolController

from forecastkit.utils import arrays
from forecastkit.utils.arrays import one_thread


def test_results_are_in_order_and_two_items_run_at_the_same_time(monkeypatch):
    monkeypatch.setattr(arrays, "cores", lambda: 2)
    both = Barrier(2, timeout=10)  # broken, which raises, unless two threads wait at once

    def square(number):
        both.wait()
        return number**2

    assert arrays.on_all_cores(square, [3, 1, 2, 4]) == [9, 1, 4, 16]


def test_errors_are_raised():
    with pytest.raises(ZeroDivisionError):
        arrays.on_all_cores(lambda number: 1 / number, [1, 0])


def threads():
    found = ThreadpoolController().info()
    return {one["filepath"]: one["num_threads"] for one in found if one["user_api"] == "blas"}


def test_the_limit_ends_with_the_block_and_blocks_nest():
    assert scipy.linalg.cholesky(np.eye(3)).shape == (3, 3)  # its library is loaded
    arrays._controller.cache_clear()
    before = threads()
    with one_thread():
        with one_thread():
            assert set(threads().values()) == {1}
        assert set(threads().values()) == {1}
    assert threads() == before
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert threads() == before


def test_a_library_that_is_loaded_within_a_block_is_limited_too(monkeypatch):
    everything = ThreadpoolController()
    blas = sorted(one["filepath"] for one in everything.info() if one["user_api"] == "blas")
    if len(blas) < 2:
        pytest.skip("NumPy and SciPy share one library here")
    without = everything.select(filepath=blas[0])
    monkeypatch.setattr(arrays, "_controller", lambda with_scipy: everything if with_scipy else without)
    with everything.limit(limits=2, user_api="blas"):
        with ExitStack() as outer:
            with monkeypatch.context() as unloaded:
                unloaded.delitem(sys.modules, "scipy.linalg")
                outer.enter_context(one_thread())
            assert threads()[blas[0]] == 1
            assert set(threads().values()) == {1, 2}
            with one_thread():
                assert set(threads().values()) == {1}
        assert set(threads().values()) == {2}


@pytest.mark.parametrize(("multiplications", "expected"), [(1 << 25, 1), ((1 << 25) + 1, 2)])
def test_products_with_many_multiplications_keep_their_threads(multiplications, expected):
    with ThreadpoolController().limit(limits=2, user_api="blas"), one_thread(multiplications):
        assert set(threads().values()) == {expected}


def test_without_threadpoolctl_nothing_is_limited(monkeypatch):
    monkeypatch.setattr(arrays, "_controller", lambda with_scipy: None)
    with one_thread():
        assert np.linalg.solve(np.eye(2), np.ones(2)).sum() == 2


def test_the_limit_holds_until_the_last_thread_leaves():
    before, both, first_has_left = threads(), Barrier(2, timeout=60), Barrier(2, timeout=60)

    def first():
        with one_thread():
            both.wait()
        first_has_left.wait()

    other = Thread(target=first)
    other.start()
    with one_thread():
        both.wait()
        first_has_left.wait()
        assert set(threads().values()) == {1}
    other.join()
    assert threads() == before


def test_every_thread_can_set_the_limit():
    found = []

    def other():
        with one_thread():
            found.append(set(threads().values()))

    with ThreadpoolController().limit(limits=2, user_api="blas"):
        before = threads()
        assert set(before.values()) == {2}
        with one_thread():  # this thread is the first one
            pass
        thread = Thread(target=other)
        thread.start()
        thread.join()
        assert found == [{1}]
        assert threads() == before
