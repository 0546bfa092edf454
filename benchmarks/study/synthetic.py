"""Tasks about mechanism: what a network recalls from k steps ago, and the gradient that reaches so far back.

One training covers all k: that of every window is drawn from 1 to the length, evenly in its logarithm.
"""

import numpy as np

from study.probe import Steps

#: Share of the variance explained at every lag from which there is nothing left to train for.
ENOUGH = 0.9
BATCH, CHECK, JUDGED = 16, 100, 64


def blank(rng, batch, length):
    return rng.uniform(-1, 1, (batch, length)).astype("float32"), np.zeros((batch, length), dtype="float32")


def recall(rng, lags, length):
    """The value that was marked so many steps before the output, among values that do not matter."""
    values, marks = blank(rng, len(lags), length)
    rows = np.arange(len(lags))
    marks[rows, length - lags] = 1
    return np.stack([values, marks], axis=-1), values[rows, length - lags][:, None]


def adding(rng, lags, length):
    """The sum of two marked values, one so many steps before the output, the other in the later half of these."""
    values, marks = blank(rng, len(lags), length)
    rows, later = np.arange(len(lags)), 1 + (rng.random(len(lags)) * ((lags + 1) // 2)).astype(int)
    later = np.where(later == lags, 0, later)  # a lag of one leaves no place for another
    marks[rows, length - lags] = 1
    total = values[rows, length - lags]
    has = later > 0
    marks[rows[has], length - later[has]] = 1
    total[has] += values[rows[has], length - later[has]]
    return np.stack([values, marks], axis=-1), total[:, None]


def place(rng, lags, length):
    """The values 1, 2, 4, ... steps before the output, with no mark: only their places tell them from the others."""
    values, marks = blank(rng, len(lags), length)
    return np.stack([values, marks], axis=-1), values[:, [length - lag for lag in powers(length)]]


TASKS = {"recall": recall, "adding": adding, "place": place}


def powers(length: int) -> list[int]:
    """1, 2, 4, ... up to the length."""
    return [2**power for power in range(int(np.log2(length)) + 1)]


def drawn(rng, batch: int, length: int):
    """Lags from 1 to the length, evenly in their logarithm."""
    return np.floor(2 ** rng.uniform(0, np.log2(length + 0.999), batch)).astype(int)


def solve(network: str, task: str, length: int = 256, steps: int = 400, seed: int = 0, units: int = 32) -> dict:
    """Train until every lag is explained or the steps are used up.

    Returns
    -------
    dict
        ``explained``: share of the variance of fresh targets that is explained, at best 1, by lag; ``steps`` trained;
        ``before`` and ``after`` training: size of the gradient of the output by a value so many steps ago, by lag; for
        recall after training by the marked one. All by lag are lists of [lag, value].
    """
    rng = np.random.default_rng(seed)
    draw = TASKS[task]
    example, truth = draw(rng, drawn(rng, BATCH, length), length)
    net = Steps(network, units, example, outputs=truth.shape[1], seed=seed)
    before = reach(net, example)
    done, found = 0, []
    while done < steps and not (found and min(share for _, share in found) > ENOUGH):
        for _ in range(min(CHECK, steps - done)):
            net.train(*draw(rng, drawn(rng, BATCH, length), length))
            done += 1
        found = explained(net, task, length)
    after = reach(net, example) if task == "place" else marked_reach(net, rng, draw, length)
    return {"explained": found, "steps": done, "before": before, "after": after}


def explained(net, task: str, length: int) -> list:
    """Share of the variance explained at each lag, on windows that are the same for all networks."""
    rng = np.random.default_rng(2**20)
    if task == "place":
        windows, truth = place(rng, np.ones(JUDGED, dtype=int), length)
        errors = ((net.predict(windows) - truth) ** 2).mean(axis=0)
        return [[lag, float(1 - e / v)] for lag, e, v in zip(powers(length), errors, truth.var(axis=0), strict=True)]
    found = []
    for lag in powers(length):
        windows, truth = TASKS[task](rng, np.full(JUDGED, lag), length)
        found.append([lag, float(1 - ((net.predict(windows) - truth) ** 2).mean() / truth.var())])
    return found


def reach(net, windows) -> list:
    """Mean size of the gradient by the value at each lag."""
    sizes = np.abs(net.input_gradients(windows)[..., 0]).mean(axis=0)[::-1]
    return [[lag, float(sizes[lag - 1])] for lag in powers(len(sizes))]


def marked_reach(net, rng, draw, length) -> list:
    """Mean size of the gradient by the value that is marked at each lag."""
    found = []
    for lag in powers(length):
        windows, _ = draw(rng, np.full(BATCH, lag), length)
        found.append([lag, float(np.abs(net.input_gradients(windows)[:, -lag, 0]).mean())])
    return found
