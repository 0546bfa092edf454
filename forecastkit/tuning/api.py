"""Tune: search hyperparameters by error on rolling-origin folds."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.ingest.sample_weight import read_weights
from forecastkit.forecasters.base import Forecaster
from forecastkit.preprocessing.broken_readings import without_broken
from forecastkit.tuning.results import Tuning
from forecastkit.tuning.search import Search
from forecastkit.tuning.settings import Settings
from forecastkit.tuning.space import WHERE
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Data, Path, Seed
from forecastkit.utils.validation import refuse


def tune(
    forecaster: Forecaster,
    X: Data,
    y: Data | None = None,
    *,
    space: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None = None,
    search: str = "local",
    n_trials: int | None = None,
    time_limit: float | str | None = None,
    n_folds: int | None = None,
    directory: Path | None = None,
    n_jobs: int = 1,
    random_state: Seed | None = None,
    sample_weight: ArrayLike | None = None,
    verbose: int = 0,
    progress: Callable[[str], object] | None = None,
) -> Tuning:
    """Search for the parameters under which a forecaster errs least on rolling-origin folds.

    Trial 0 is the forecaster as it is, and wins unless another is better by 1 % on the folds. In every trial and fold
    scales, early stopping and calibration are learned from the rows before the fold only, and all trials forecast the
    same origins, whatever their lookback.

    Parameters
    ----------
    forecaster : Forecaster
        Not fitted; what the space does not name stays as it is.
    X, y : as in `fit`
        Training rows. Rows kept for a test must not be among them.
    space : dict or callable, optional
        ``{"units": [32, 64], "learning_rate": (1e-4, 1e-2, "log"), "lookback": [96, 192, 336]}``: a list of choices, or
        a range. Or a function of keras-tuner's ``hp`` that returns a dict of parameters. Default: window, training and
        network parameters worth searching for this forecaster on these data.
    search : {'local', 'random', 'bayesian', 'hyperband'}
        How keras-tuner proposes parameters: one of the best so far after the other, all drawn at random, all as a
        Gaussian process expects most, or many trials of few epochs, the best of which get more.
    n_trials : int, optional
        Default: 20, or as many as the time limit allows.
    time_limit : float or str, optional
        Seconds of everything, or ``"90s"``, ``"10m"``, ``"1h"``. The last trial gets what is left.
    n_folds : int, optional
        Blocks of last rows, each forecast by fits on all rows before it. Default: three, fewer where rows are few.
    directory : path-like, optional
        Where finished trials are kept: the same search on the same data goes on there after it was stopped or killed.
    n_jobs : int
        Trials at the same time, each in a process of its own; 0 runs them in this process.
    random_state : int, RandomState or None
        Seed of the proposals, and of forecasters that have none.
    sample_weight : array, optional
        As `fit` takes it.
    verbose : int
        1 prints a line per trial.
    progress : callable, optional
        Takes that line instead.

    Returns
    -------
    Tuning

    Raises
    ------
    InputError
        Before any training: a space that names an unknown parameter or an empty choice, folds longer than the data, a
        time limit too short for one trial.

    References
    ----------
    Tashman (2000), "Out-of-sample tests of forecasting accuracy", IJF 16 (rolling origins). O'Malley et al. (2019),
    KerasTuner. Li et al. (2018), "Hyperband", JMLR 18.
    """
    settings = Settings(search, n_trials, time_limit, n_folds, directory, n_jobs, random_state)
    settings.check()
    if not isinstance(forecaster, Forecaster):
        refuse(WHERE, "the forecaster must be one", repr(forecaster), error=ParameterError)
    forecaster._check_parameters()
    panel, schema = read_panel(X, y, **forecaster._reading())
    weight = read_weights(sample_weight, X, y, panel, schema, forecaster._reading())
    panel = without_broken(WHERE, panel, schema.target)
    found = Search(clone(forecaster), panel, schema, space, settings, weight)
    found.run(progress or (print if verbose else None))
    return found.result()
