"""Training of the network of `PretrainedForecaster` on the user's own panel."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.panel import Panel
from forecastkit.data.sizes import choose_season
from forecastkit.forecasters.base import READING
from forecastkit.pretrained.calibration import calibrated
from forecastkit.pretrained.examples import FEWEST, divided, from_series, trimmed, windows
from forecastkit.pretrained.fine_tune import window_losses
from forecastkit.pretrained.forward import body_units, forward
from forecastkit.pretrained.inputs import LONGEST, trial_length, usable_second
from forecastkit.pretrained.weights import LATEST, load_weights, save_weights
from forecastkit.utils.arrays import safe_units
from forecastkit.utils.exceptions import InputError, backend_needed
from forecastkit.utils.time_budget import seconds_of
from forecastkit.utils.types import Data
from forecastkit.utils.types import Path as PathLike
from forecastkit.utils.validation import check_int, check_names, refuse

WHERE = "pretrain"
COVARIATES = ("known", "past", "static")
#: Examples drawn at a time, per round, and before the first step; gradient steps of a round.
ROWS, NEW, FIRST, STEPS = 64, 512, 2048, 8
#: Held-out examples, and rounds between their evaluations.
HELD_OUT, EVERY = 512, 10
#: Size of a network that is trained from nothing, and learning rates from nothing and from trained weights.
SMALL, FROM_NOTHING, FROM_WEIGHTS = {"units": 96, "recurrent": 32}, 2e-3, 3e-4


def pretrain(
    data: Data,
    *,
    out: PathLike,
    horizon: int | None = None,
    season_length: int | None = None,
    start: PathLike | None = LATEST,
    time_limit: float | str = "10m",
    random_state: int = 0,
    **reading: object,
) -> Path:
    """Train the network of `PretrainedForecaster` on a panel of series and write its weights to a file.

    Examples are random series cut at random origins. A tenth of the series is held out (with fewer than ten series the
    last tenth of each): the weights with the smallest quantile loss on these are kept, and the widths of intervals are
    calibrated on them.

    Parameters
    ----------
    data : array, Series, frame or Panel
        The series, as `fit` takes them. Covariates are not used.
    out : str or path
        File to write, such as ``"mine.npz"``.
    horizon : int, optional
        Largest number of steps ahead of the examples; by default two seasons, at least 8 and at most 96.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, else inferred from the values.
    start : str, path or None
        Weights to start from: a packaged version or a file. None trains a small network from nothing.
    time_limit : float or str
        Seconds, or a text such as ``"10m"``, for the training itself.
    random_state : int
        Seed.
    **reading
        Parameters of `PretrainedForecaster` that define how data are read: `target`, `time`, `series_id`, `freq`,
        `timezone`, `duplicates` and `resample`.

    Returns
    -------
    Path
        The file, for ``PretrainedForecaster(weights=...)``. It contains arrays only, no pickles.

    Raises
    ------
    InputError
        If no series has enough values for the horizon.

    Examples
    --------
    >>> import forecastkit as fk
    >>> weights = fk.pretrain(panel, series_id="shop", out="mine.npz")  # doctest: +SKIP
    >>> fk.PretrainedForecaster(horizon=14, weights=weights).fit(new_shop)  # doctest: +SKIP
    """
    check_int(WHERE, "horizon", horizon, optional=True)
    check_int(WHERE, "season_length", season_length, optional=True)
    check_int(WHERE, "random_state", random_state, low=0)
    seconds = seconds_of(time_limit, WHERE)
    check_names(WHERE, "parameters", reading, [name for name in READING if name not in COVARIATES])
    panel, _ = read_panel(data, **reading)
    source = Source.of(panel, horizon, season_length)
    weights, about = _trained(source, None if start is None else load_weights(start), seconds, random_state)
    save_weights(out, weights, about)
    return Path(os.fspath(out))


@dataclass(frozen=True)
class Source:
    """Series to draw examples from."""

    series: list[np.ndarray]  #: Training series, in units of their largest value
    held_out: list[np.ndarray]  #: Held-out series
    season: int  #: Season length in steps, 1 for none
    second: int  #: That of a longer season, 0 for none
    horizon: int  #: Largest horizon of an example

    @classmethod
    def of(cls, panel: Panel, horizon: int | None, season_length: int | None) -> Source:
        """Divide the series of a panel."""
        series = [values for first, end in pairwise(panel.indptr) for values in panel.target[first:end].T]
        series = [one.astype("float64") for one in series if not np.isnan(one).all()]
        series = [one / safe_units(np.nanmax(np.abs(one))) for one in series]
        season = choose_season(season_length, panel, panel.indptr[1:])
        longer = [one for one in panel.grid.seasons if one > season]
        horizon = horizon or int(np.clip(2 * season, 8, 96))
        parts = [
            [one for one in divided(series, held_out) if len(one) > FEWEST + horizon] for held_out in (False, True)
        ]
        if not parts[0]:
            longest = max(map(len, series), default=0)
            rule = f"a series must have more than {FEWEST + horizon} rows for horizon={horizon}"
            refuse(WHERE, rule, f"at most {longest} in the training part", "Pass a shorter horizon=.", InputError)
        return cls(*parts, season, usable_second(season, longer[0] if longer else 0), horizon)

    def draw(self, rng, held_out: bool = False) -> dict[str, np.ndarray]:
        """Draw examples of one horizon."""
        series = self.held_out if held_out and self.held_out else self.series
        horizon = int(rng.integers(min(trial_length(self.season), self.horizon), self.horizon + 1))
        longest = max(map(len, series)) - horizon
        longest = int(np.exp(rng.uniform(np.log(FEWEST + 1), np.log(np.clip(longest, FEWEST + 2, LONGEST)))))
        rows = trimmed(windows(rng, series, ROWS, longest, horizon), horizon)
        return from_series(rng, rows, horizon, self.season, self.second)


def _trained(source, weights, seconds, seed):
    """Return the best weights on held-out series, and what is written about them."""
    with backend_needed():
        from forecastkit.training.pretraining import MixtureTraining, Settings, joined

    rng = np.random.default_rng(seed)
    size = SMALL
    if weights is not None:
        size = {"units": weights["second/kernel"].shape[0], **body_units(weights)}
    rate = FROM_NOTHING if weights is None else FROM_WEIGHTS
    settings = Settings(**size, learning_rate=rate, pool=20_000, seed=seed)
    held_out = joined([source.draw(np.random.default_rng([seed, i]), held_out=True) for i in range(HELD_OUT // ROWS)])
    training = MixtureTraining(settings, source.draw(rng))
    if weights is not None:
        training.start_from(weights)
    best = training.average if weights is None else weights
    least, began, rounds = _loss(best, held_out), time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        wanted = NEW if training.pool.filled else FIRST
        for _ in range(wanted // ROWS):
            training.pool.add(source.draw(rng))
        training.train(rng, STEPS, passed / seconds)
        rounds += 1
        if rounds % EVERY == 0 and (loss := _loss(training.average, held_out)) < least:
            best, least = dict(training.average), loss
    if _loss(training.average, held_out) < least:
        best = training.average
    about = {"steps": training.steps, "series": len(source.series), "season_length": source.season}
    return calibrated(best, [held_out]), about | {"seed": seed}


def _loss(weights, examples):
    return float(window_losses(examples["target"], forward(weights, examples)).mean())
