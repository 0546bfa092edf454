"""Candidate models of a comparison, with a common horizon and common columns."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sklearn.base import clone

from forecastkit.forecasters import baselines
from forecastkit.forecasters.base import READING, Forecaster
from forecastkit.forecasters.ensemble import EnsembleForecaster
from forecastkit.forecasters.linear import LinearForecaster
from forecastkit.forecasters.pretrained import PretrainedForecaster
from forecastkit.networks import backbones
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.time_budget import seconds_of
from forecastkit.utils.validation import check_names, did_you_mean, refuse

WHERE = "compare"
BASELINES = {
    "naive": baselines.NaiveForecaster,
    "seasonal_naive": baselines.SeasonalNaiveForecaster,
    "drift": baselines.DriftForecaster,
    "mean": baselines.MeanForecaster,
    "theta": baselines.ThetaForecaster,
    "damped_trend": baselines.DampedTrendForecaster,
    "linear": LinearForecaster,
    "pretrained": PretrainedForecaster,
}
#: Baselines that are in every comparison.
ALWAYS = ("naive", "seasonal_naive", "linear")
#: What all models must agree on, or their errors are not of the same forecasts.
SHARED = ("horizon", "season_length", *READING)
#: What a run sets itself, or what changes no forecast.
OF_A_RUN = ("random_state", "time_limit", "verbose", "callbacks")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model that takes part.

    Attributes
    ----------
    name : str
    forecaster : Forecaster
        Not fitted.
    """

    name: str
    forecaster: Forecaster

    @property
    def is_trained(self) -> bool:
        """Whether a time limit means something to it."""
        return self._networks() > 0

    @property
    def is_random(self) -> bool:
        """Whether another seed gives another result."""
        return any("random_state" in member.get_params(deep=False) for member in members(self.forecaster))

    @property
    def looks_back(self) -> bool:
        """Whether the lookback means something to it."""
        return not isinstance(self.forecaster, baselines.READ_OFF)

    def for_run(self, seed: int | None, seconds: float | None, **others) -> Forecaster:
        """A clone with the seed, and with the seconds of training shared by its networks."""
        values = {**others} if seed is None else {"random_state": seed, **others}
        if seconds is not None and self.is_trained:
            own = [seconds_of(getattr(member, "time_limit", None), WHERE) for member in members(self.forecaster)]
            values["time_limit"] = min([seconds / self._networks(), *(limit for limit in own if limit is not None)])
        return changed(self.forecaster, values)

    def fingerprint(self) -> str:
        """A short text that is the same for the same class and parameters, but for those of a run."""
        text = ";".join(_described(member) for member in [self.forecaster, *members(self.forecaster)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _networks(self):
        return sum("time_limit" in member.get_params(deep=False) for member in members(self.forecaster))


def members(forecaster: Forecaster) -> list[Forecaster]:
    """The forecasters that an ensemble is made of, or the forecaster itself."""
    if isinstance(forecaster, EnsembleForecaster):
        return [part for member in forecaster._members() for part in members(member)]
    return [forecaster]


def changed(forecaster: Forecaster, values: dict) -> Forecaster:
    """A clone with these parameters wherever they exist, in the members of an ensemble too."""
    copy = clone(forecaster)
    if isinstance(copy, EnsembleForecaster):
        copy.set_params(forecasters=[changed(member, values) for member in copy._members()])
    known = copy.get_params(deep=False)
    return copy.set_params(**{name: value for name, value in values.items() if name in known})


def make_contenders(models, parameters: dict) -> list[Candidate]:
    """The models and the baselines, every one checked.

    Parameters
    ----------
    models : str, Forecaster, list of them, or dict of name to one
        ``"all"`` stands for all networks; names may be comma-separated.
    parameters : dict
        Of the constructors. Models given by name take those they know, forecasters those they leave None.

    Raises
    ------
    ParameterError
        Where a name or a parameter does not exist, a parameter breaks its rule, or the models disagree on what they
        forecast.
    """
    wanted = _named(models)
    wanted |= {name: name for name in ALWAYS if name not in wanted}
    if parameters.get("season_length") == 1 and wanted["seasonal_naive"] == "seasonal_naive":
        del wanted["seasonal_naive"]  # it is the naive forecast
    made = [Candidate(name, _made(model, parameters)) for name, model in wanted.items()]
    _check_used(made, parameters)
    made = _agreeing(made)
    for contender in made:
        contender.forecaster._check_parameters()
    return made


def known_names() -> tuple[str, ...]:
    """Names that models may be given by."""
    return (*backbones.names(), *BASELINES, "ensemble")


def _named(models) -> dict:
    """Name to name or forecaster, in the order given."""
    if isinstance(models, dict):
        return dict(models)
    if isinstance(models, str):
        models = backbones.names() if models == "all" else [name.strip() for name in models.split(",") if name.strip()]
    models = list(models) if isinstance(models, Iterable) else [models]
    if not models:
        refuse(WHERE, "models must hold at least one", "none", error=ParameterError)
    named = {}
    for model in models:
        name = model if isinstance(model, str) else name_of(model)
        if not isinstance(model, str) and name in named:
            name = next(f"{name} {number}" for number in range(2, 1000) if f"{name} {number}" not in named)
        named[name] = model
    return named


def name_of(forecaster) -> str:
    """What a forecaster is called where it was given without a name."""
    kind = type(forecaster).__name__
    plain = {name: stem for stem, name in backbones.class_names().items()}
    own = kind.removesuffix("Forecaster")
    return plain.get(own) or next((name for name, known in BASELINES.items() if known.__name__ == kind), own.lower())


def _made(model, parameters):
    if isinstance(model, Forecaster):
        own = model.get_params(deep=False)
        values = {name: value for name, value in parameters.items() if name in own and own[name] is None}
        return clone(model).set_params(**values)
    if not isinstance(model, str):
        refuse(WHERE, "a model must be a name or a forecaster", repr(model), error=ParameterError)
    if model not in known_names():
        refuse(WHERE, "the model must exist", repr(model), did_you_mean(model.lower(), known_names()), ParameterError)
    return changed(class_of(model)(), parameters)


def class_of(name: str) -> type:
    """The class of a model of this name."""
    if name == "ensemble":
        return EnsembleForecaster
    if name in BASELINES:
        return BASELINES[name]
    from forecastkit.forecasters import networks  # not before a network is asked for: baselines need no backend

    return getattr(networks, f"{backbones.class_names()[name]}Forecaster")


def _check_used(made, parameters):
    known = {name for contender in made for member in members(contender.forecaster) for name in member.get_params()}
    known |= {name for contender in made for name in contender.forecaster.get_params(deep=False)}
    check_names(WHERE, "the parameter", parameters, sorted(known - set(OF_A_RUN)))


def _agreeing(made: list[Candidate]) -> list[Candidate]:
    """The contenders with what some of them say of the data and the horizon given to all."""
    common = {}
    for name in SHARED:
        given = [(_plain(getattr(c.forecaster, name)), c) for c in made if getattr(c.forecaster, name) is not None]
        if other := [contender for value, contender in given if value != given[0][0]]:
            first, last = given[0][1], other[0]
            got = " and ".join(f"{getattr(c.forecaster, name)!r} ({c.name})" for c in (first, last))
            refuse(WHERE, f"all models must have the same {name}", got, error=ParameterError)
        if given:
            common[name] = getattr(given[0][1].forecaster, name)
    return [Candidate(contender.name, changed(contender.forecaster, common)) for contender in made]


def _plain(value):
    return tuple(value) if isinstance(value, list) else value


def _described(forecaster) -> str:
    own = {name: value for name, value in forecaster.get_params().items() if name not in (*OF_A_RUN, "forecasters")}
    return f"{type(forecaster).__name__}{sorted((name, repr(value)) for name, value in own.items())}"
