"""Hyperparameter search by the error on rolling-origin folds."""

from collections.abc import Callable, Mapping
from typing import Any, TypedDict, Unpack

from numpy.typing import ArrayLike
from sklearn.base import clone

from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.ingest.sample_weight import read_weights
from forecastkit.forecasters.base import Forecaster
from forecastkit.preprocessing.moments import without_broken
from forecastkit.tuning.results import Tuning
from forecastkit.tuning.search import Search
from forecastkit.tuning.settings import Settings
from forecastkit.tuning.space import WHERE
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Data, Path, Seed
from forecastkit.utils.validation import check_options, refuse


class TuneOptions(TypedDict, total=False):
    """Options of `tune` that few calls need."""

    n_folds: int | None
    directory: Path | None
    n_jobs: int
    random_state: Seed | None
    sample_weight: ArrayLike | None
    verbose: bool | Callable[[str], object]


def tune(
    forecaster: Forecaster,
    X: Data,
    y: Data | None = None,
    *,
    space: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None = None,
    search: str = "local",
    n_trials: int | None = None,
    time_limit: float | str | None = None,
    **options: Unpack[TuneOptions],
) -> Tuning:
    """Search for the parameters with which a forecaster has the smallest error on rolling-origin folds.

    Trial 0 is the given forecaster, which is selected unless another trial is better by 1 % on the folds. In every
    trial and fold, scales, early stopping and calibration use the rows before the fold only. All trials forecast the
    same origins, whatever their lookback.

    Parameters
    ----------
    forecaster : Forecaster
        Unfitted forecaster. Parameters that are not in the space keep their values.
    X, y : as in `fit`
        Training rows, without rows reserved for a test.
    space : dict or callable, optional
        ``{"units": [32, 64], "learning_rate": (1e-4, 1e-2, "log"), "lookback": [96, 192, 336]}``: a list of choices, or
        a range. Alternatively a function of keras-tuner's ``hp`` that returns a dict of parameters. By default window,
        training and network parameters that suit the forecaster and the data.
    search : {'local', 'random', 'bayesian', 'hyperband'}
        How keras-tuner proposes parameters: one parameter of the best trial is changed at a time; all are drawn at
        random; a Gaussian process selects them; or many trials train for few epochs and the best ones continue.
    n_trials : int, optional
        Number of trials; by default 20, or as many as the time limit allows.
    time_limit : float or str, optional
        Time limit of the whole search in seconds, or ``"90s"``, ``"10m"``, ``"1h"``. The last trial gets the remaining
        time.
    **options
        See Other Parameters.

    Other Parameters
    ----------------
    n_folds : int, optional
        Number of blocks of last rows, each forecast by fits on all rows before it; by default three, or fewer for few
        rows.
    directory : path-like, optional
        Folder in which finished trials are stored; the same search on the same data resumes from it.
    n_jobs : int
        Number of parallel trials, each in a separate process; by default 1. 0 runs them in this process.
    random_state : int, RandomState or None
        Seed of the proposals, and of forecasters without a seed.
    sample_weight : array, optional
        As in `fit`.
    verbose : bool or callable
        Reports a line after every trial: True prints it, a function is called with it.

    Returns
    -------
    Tuning

    Raises
    ------
    InputError
        Before training, if the space contains an unknown parameter or no choice, the folds are longer than the data, or
        the time limit is too short for one trial.

    References
    ----------
    Tashman (2000), "Out-of-sample tests of forecasting accuracy", IJF 16 (rolling origins). O'Malley et al. (2019),
    KerasTuner. Li et al. (2018), "Hyperband", JMLR 18.
    """
    check_options(tune, options, TuneOptions)
    sample_weight, verbose = options.pop("sample_weight", None), options.pop("verbose", False)
    settings = Settings(search, n_trials, time_limit, **options)
    settings.check()
    if not isinstance(forecaster, Forecaster):
        refuse(WHERE, "forecaster must be a Forecaster", repr(forecaster), error=ParameterError)
    forecaster._check_parameters()
    panel, schema = read_panel(X, y, **forecaster._reading())
    weight = read_weights(sample_weight, X, y, panel, schema, forecaster._reading())
    panel = without_broken(WHERE, panel, schema.target)
    found = Search(clone(forecaster), panel, schema, space, settings, weight)
    found.run(verbose if callable(verbose) else print if verbose else None)
    return found.result()
