"""Warnings of this library can be handled in one thread without touching the filters of the others."""

import threading
import warnings

import pytest

from forecastkit.utils.exceptions import DataWarning
from forecastkit.utils.warn import handle_warnings, warn_user, without_warnings


def test_warnings_are_handled_in_this_thread_only():
    filters = list(warnings.filters)
    with warnings.catch_warnings(record=True) as issued:
        warnings.simplefilter("always")
        with without_warnings():
            warn_user("ours")
            thread = threading.Thread(target=warn_user, args=("another thread",))
            thread.start()
            thread.join()
            warnings.warn("the host program", stacklevel=1)
        warn_user("after")
    assert [str(each.message) for each in issued] == ["another thread", "the host program", "after"]
    assert warnings.filters == filters


def test_a_handler_can_let_warnings_pass():
    taken = []
    with handle_warnings(lambda message, category: taken.append(message) or category is not DataWarning):
        warn_user("of data", DataWarning)
        with pytest.warns(UserWarning, match="of another kind"):
            warn_user("of another kind")
    assert taken == ["of data", "of another kind"]
