"""Work on all cores."""

import threading

import pytest

from forecastkit.utils import cpu


def test_results_are_in_order_and_two_items_run_at_the_same_time(monkeypatch):
    monkeypatch.setattr(cpu, "cores", lambda: 2)
    both = threading.Barrier(2, timeout=10)  # broken, which raises, unless two threads wait at once

    def square(number):
        both.wait()
        return number**2

    assert cpu.on_all_cores(square, [3, 1, 2, 4]) == [9, 1, 4, 16]


def test_errors_are_raised():
    with pytest.raises(ZeroDivisionError):
        cpu.on_all_cores(lambda number: 1 / number, [1, 0])
