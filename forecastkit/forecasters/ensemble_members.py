"""Fit the members of an ensemble, one after another or in processes, each with its own seed.

Dependencies of fits are imported where they are used, because forecasts do not need them.
"""

import copy
import os
import sys
import warnings
from collections.abc import Iterable, Iterator

import numpy as np

from forecastkit.data.schema import Schema
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.model import FitContext
from forecastkit.utils.estimator import clone
from forecastkit.utils.warn import warn_user


def is_network(member: Forecaster) -> bool:
    """Return whether the forecaster is trained by epochs from random weights."""
    return {"epochs", "random_state"} <= member.get_params(deep=False).keys()


def seeded(member: Forecaster, seeds: int) -> list[Forecaster]:
    """Return clones of a network with its seed and the following ones; one clone of other forecasters."""
    if seeds == 1 or not is_network(member):
        return [clone(member)]
    state = member.random_state
    if state is None:
        states = [None] * seeds
    elif isinstance(state, (int, np.integer)):
        states = [(int(state) + place) % 2**32 for place in range(seeds)]
    else:
        from sklearn.utils import check_random_state

        states = check_random_state(copy.deepcopy(state)).randint(2**31 - 1, size=seeds).tolist()
    return [clone(member).set_params(random_state=state) for state in states]


def linear_for(member: Forecaster, others: Iterable[Forecaster]) -> Forecaster | None:
    """Return a fitted linear forecaster among the others that equals the member's linear reference, or None."""
    same, lookback = ("season_length", "holidays", "fourier"), vars(member).get("lookback_")
    plain = [other for other in others if getattr(other, "recipes", 0) == 1 and other.normalization in (None, "last")]
    fitted = [other for other in plain if hasattr(other, "ridge_") and not member._divides()]
    for other in fitted:
        alike = all(getattr(other, name) == getattr(member, name, None) for name in same)
        alike = alike and other._transform() == member._transform()
        if alike and other.lookback_ == (lookback or member.lookback):
            return other
    return None


def is_usable(member: Forecaster) -> bool:
    """Return whether an interrupted member can forecast; a network needs a completed epoch."""
    record = getattr(member, "training_history_", None)
    return hasattr(member, "history_") and (record is None or bool(record.loss))


def uses_processes(n_jobs: int | None, members: int) -> bool:
    """Return whether members are fitted in separate processes."""
    if members == 1 or n_jobs == 1:
        return False
    from joblib import effective_n_jobs

    return effective_n_jobs(n_jobs) > 1


def fit_in_processes(
    members: list[Forecaster], context: FitContext, schema: Schema, n_jobs: int | None
) -> Iterator[tuple[Forecaster, Forecaster, FitContext]]:
    """Fit members in processes with as many threads as here, because rounding depends on the number of threads.

    Yields
    ------
    evaluated, finished : Forecaster
        Each member in order, as evaluated on the validation block and after the final training.
    own : FitContext
        Context of the member's fit.
    """
    from joblib import Parallel, delayed

    panel, weight = context.panel, context.weight
    work = delayed(_fit_in_worker)
    jobs = (work(member, panel, schema, weight, _threads()) for member in members)
    # Large arrays are passed to all processes as one file, which each process maps privately.
    pool = Parallel(n_jobs=n_jobs, prefer="processes", return_as="generator", mmap_mode="c")
    for evaluated, finished, checkpoints, said in pool(jobs):
        for category, text in said:
            warn_user(text, category)
        for member in (evaluated, finished):
            member.history_, member.schema_ = panel, schema
            member._with_fit_data(panel, weight)
        yield evaluated, finished, FitContext(panel, context.split, context.stop, weight, checkpoints=checkpoints)


def _fit_in_worker(member, panel, schema, weight, threads):
    """Fit a member in a joblib worker: a process, or a thread under the user's joblib configuration."""
    from threadpoolctl import threadpool_limits

    process, blas, tensorflow = threads
    if process == os.getpid():
        return *_fitted(member, panel, schema, weight), []
    if tensorflow is not None and "tensorflow" in sys.modules:
        _tensorflow_threads(tensorflow)
    with threadpool_limits(blas), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        return *_fitted(member, panel, schema, weight), [(each.category, str(each.message)) for each in said]


def _fitted(member, panel, schema, weight):
    """Return the member after its evaluation and after `_finish`, both without the data, and its checkpoints."""
    context = member._start_fit(panel, schema, weight)
    try:
        member._learn(context)
        evaluated = copy.deepcopy(_bare(member))
        member._finish(context)
    finally:
        member._release(context)
    return evaluated, _bare(member), context.checkpoints


def _bare(member):
    """Return a copy without the data, which the parent process has."""
    bare = copy.copy(member)
    bare.history_ = bare.schema_ = None
    bare._with_fit_data(None, None)
    return bare


def _threads():
    """Return the process, its numbers of BLAS and OpenMP threads, and those of TensorFlow if it is loaded."""
    from threadpoolctl import threadpool_info

    blas = {info["user_api"]: info["num_threads"] for info in threadpool_info()}
    return os.getpid(), blas, _tensorflow_threads() if "tensorflow" in sys.modules else None


def _tensorflow_threads(wanted=None):
    """Return the threads within and between TensorFlow's operations, 0 for all cores; first set those `wanted`."""
    threading = sys.modules["tensorflow"].config.threading  # loaded or not, it is not this module that needs it
    if wanted is not None:
        threading.set_intra_op_parallelism_threads(wanted[0])
        threading.set_inter_op_parallelism_threads(wanted[1])
    return threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()
