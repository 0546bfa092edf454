"""Candidate models of a comparison, with a common horizon and common columns."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from forecastkit.data.schema import READING
from forecastkit.forecasters import baselines
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.ensemble import EnsembleForecaster
from forecastkit.forecasters.linear import LinearForecaster
from forecastkit.forecasters.pretrained import PretrainedForecaster
from forecastkit.networks import backbones
from forecastkit.utils.estimator import clone
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
#: Baselines in every comparison.
ALWAYS = ("naive", "seasonal_naive", "linear")
#: Parameters on which all models must agree, so that their errors refer to the same forecasts.
SHARED = ("horizon", "season_length", *READING)
#: Parameters that are set by a run, or do not affect forecasts.
OF_A_RUN = ("random_state", "time_limit", "verbose", "callbacks")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model of a comparison."""

    name: str
    forecaster: Forecaster  #: Unfitted

    @property
    def is_trained(self) -> bool:
        """Whether a time limit affects the model."""
        return self._networks() > 0

    @property
    def is_random(self) -> bool:
        """Whether the result depends on the seed."""
        return any("random_state" in member.get_params(deep=False) for member in members(self.forecaster))

    @property
    def looks_back(self) -> bool:
        """Whether the lookback affects the model."""
        return not isinstance(self.forecaster, baselines.WITHOUT_LOOKBACK)

    def for_run(self, seed: int | None, seconds: float | None, **others) -> Forecaster:
        """Return a clone with the seed and a training time limit that its networks share."""
        values = {**others} if seed is None else {"random_state": seed, **others}
        if seconds is not None and self.is_trained:
            own = [seconds_of(getattr(member, "time_limit", None), WHERE) for member in members(self.forecaster)]
            values["time_limit"] = min([seconds / self._networks(), *(limit for limit in own if limit is not None)])
        return changed(self.forecaster, values)

    def fingerprint(self) -> str:
        """Return a hash of the class and the parameters, except those set by a run."""
        text = ";".join(_described(member) for member in [self.forecaster, *members(self.forecaster)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _networks(self):
        return sum("time_limit" in member.get_params(deep=False) for member in members(self.forecaster))


def members(forecaster: Forecaster) -> list[Forecaster]:
    """Return the members of an ensemble, or the forecaster itself."""
    if isinstance(forecaster, EnsembleForecaster):
        return [part for member in forecaster._members() for part in members(member)]
    return [forecaster]


def changed(forecaster: Forecaster, values: dict) -> Forecaster:
    """Return a clone in which these parameters are set wherever they exist, also in members of an ensemble."""
    copy = clone(forecaster)
    if isinstance(copy, EnsembleForecaster):
        copy.set_params(forecasters=[changed(member, values) for member in copy._members()])
    known = copy.get_params(deep=False)
    return copy.set_params(**{name: value for name, value in values.items() if name in known})


def make_candidates(models, parameters: dict) -> list[Candidate]:
    """Return the validated models and baselines.

    Models are given as for `compare`: by name, ``"all"`` for all networks, names also comma-separated, as forecasters,
    or as a dict. Those given by name receive the constructor parameters that they have, forecasters those that are
    None.
    """
    wanted = _named(models)
    wanted |= {name: name for name in ALWAYS if name not in wanted}
    if parameters.get("season_length") == 1 and wanted["seasonal_naive"] == "seasonal_naive":
        del wanted["seasonal_naive"]  # it is the naive forecast
    made = [Candidate(name, _made(model, parameters)) for name, model in wanted.items()]
    _check_used(made, parameters)
    made = _agreeing(made)
    for candidate in made:
        candidate.forecaster._check_parameters()
    return made


def known_names() -> tuple[str, ...]:
    """Return the names of available models."""
    return (*backbones.names(), *BASELINES, "ensemble")


def _named(models) -> dict:
    """Return a dict of names or forecasters by name, in the order given."""
    if isinstance(models, dict):
        return dict(models)
    if isinstance(models, str):
        models = backbones.names() if models == "all" else [name.strip() for name in models.split(",") if name.strip()]
    models = list(models) if isinstance(models, Iterable) else [models]
    if not models:
        refuse(WHERE, "models must contain at least one", "none", error=ParameterError)
    named = {}
    for model in models:
        name = model if isinstance(model, str) else name_of(model)
        if not isinstance(model, str) and name in named:
            name = next(f"{name} {number}" for number in range(2, 1000) if f"{name} {number}" not in named)
        named[name] = model
    return named


def name_of(forecaster) -> str:
    """Return the default name of a forecaster."""
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
    """Return the class of a named model."""
    if name == "ensemble":
        return EnsembleForecaster
    if name in BASELINES:
        return BASELINES[name]
    from forecastkit.forecasters import networks  # imported only for networks, because baselines need no backend

    return getattr(networks, f"{backbones.class_names()[name]}Forecaster")


def _check_used(made, parameters):
    known = {name for candidate in made for member in members(candidate.forecaster) for name in member.get_params()}
    known |= {name for candidate in made for name in candidate.forecaster.get_params(deep=False)}
    check_names(WHERE, "the parameter", parameters, sorted(known - set(OF_A_RUN)))


def _agreeing(made: list[Candidate]) -> list[Candidate]:
    """Return the candidates, all with the data parameters and the horizon that some of them set."""
    common = {}
    for name in SHARED:
        given = [(_plain(getattr(c.forecaster, name)), c) for c in made if getattr(c.forecaster, name) is not None]
        if other := [candidate for value, candidate in given if value != given[0][0]]:
            first, last = given[0][1], other[0]
            got = " and ".join(f"{getattr(c.forecaster, name)!r} ({c.name})" for c in (first, last))
            refuse(WHERE, f"all models must have the same {name}", got, error=ParameterError)
        if given:
            common[name] = getattr(given[0][1].forecaster, name)
    return [Candidate(candidate.name, changed(candidate.forecaster, common)) for candidate in made]


def _plain(value):
    return tuple(value) if isinstance(value, list) else value


def _described(forecaster) -> str:
    own = {name: value for name, value in forecaster.get_params().items() if name not in (*OF_A_RUN, "forecasters")}
    return f"{type(forecaster).__name__}{sorted((name, repr(value)) for name, value in own.items())}"
