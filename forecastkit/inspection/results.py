"""Results of an interpretation as arrays, and as frames with the user's column names."""

from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np
import pandas as pd

from forecastkit.data import output_frames
from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.data.windows import Origins
from forecastkit.forecasters.base import Forecaster
from forecastkit.inspection.attribution import Attribution
from forecastkit.inspection.input_names import column_names, group_columns
from forecastkit.networks import backbones
from forecastkit.networks.attention import Attention
from forecastkit.networks.backbone import Backbone
from forecastkit.networks.layers import seeded, sublayers
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.mixins import Printable
from forecastkit.utils.validation import check_names, refuse


@dataclass(frozen=True)
class Place:
    """Forecasts to explain."""

    schema: Schema
    panel: Panel
    origins: Origins  #: Forecast origins, of length n
    steps: np.ndarray  #: (S,): steps counted from 0
    lookback: int
    horizon: int
    mixed: bool  #: Whether windows contain all target columns

    @property
    def cutoffs(self) -> np.ndarray:
        """Return the ordinal of each origin's cutoff, shape (n,)."""
        return self.panel.ordinal_at(self.origins.entity, self.origins.row)

    def keys(self) -> dict[str, pd.Index]:
        """Return series, target and cutoff of each origin with the user's names."""
        schema = self.schema
        columns = output_frames.series_columns(schema, self.panel.ids, self.origins.entity)
        if len(schema.target) > 1:
            columns["target"] = output_frames.labels(schema.target, self.origins.channel)
        return {**columns, "cutoff": output_frames.timestamps_at(self.panel, self.cutoffs)}

    def columns(self, width: int) -> dict:
        """Return keys, step and time for `width` rows per origin and step."""
        origin = np.repeat(np.arange(len(self.origins)), len(self.steps) * width)
        step = np.tile(np.repeat(self.steps + 1, width), len(self.origins))
        columns = {name: index.take(origin) for name, index in self.keys().items()}
        times = output_frames.timestamps_at(self.panel, self.cutoffs[origin] + step)
        return {**columns, "step": step, self.schema.time_name: times}

    def origin_of(self, series=None, target=None) -> int:
        """Return the index of the first origin of this series and target."""
        keep = np.ones(len(self.origins), dtype=bool)
        ids, targets = self.panel.ids if self.schema.is_panel else (), self.schema.target
        for what, name, names, places in (
            ("series", series, ids, self.origins.entity),
            ("target", target, targets if len(targets) > 1 else (), self.origins.channel),
        ):
            if name is not None:
                check_names(
                    "interpret",
                    f"the chosen {what}",
                    [name],
                    [names[place] for place in np.unique(places)] if names else (),
                )
                keep &= places == names.index(name)
        return int(np.flatnonzero(keep)[0])

    def past_of(self, origin: int) -> np.ndarray:
        """Return the observed values up to an origin, shape (lookback,), NaN where missing."""
        entity, row = self.origins.entity[origin], self.origins.row[origin]
        rows = row + np.arange(1 - self.lookback, 1)
        values = self.panel.target[np.maximum(rows, 0), self.origins.channel[origin]].astype("float64")
        return np.where(rows >= self.panel.indptr[entity], values, np.nan)

    def times_of(self, offsets: np.ndarray) -> pd.Index:
        """Return the times at these offsets from each cutoff, repeated for every step: (n * S * offsets,)."""
        ordinals = (self.cutoffs[:, None] + offsets)[:, None].repeat(len(self.steps), axis=1)
        return output_frames.timestamps_at(self.panel, ordinals.ravel())

    def over_steps(self, values: np.ndarray) -> np.ndarray:
        """Repeat values (n, width) for every step, and flatten them."""
        return np.repeat(values[:, None], len(self.steps), axis=1).ravel()


@dataclass(frozen=True)
class Block:
    """Attributions to the G inputs of one role at T steps."""

    role: str  #: {'target', 'past', 'known', 'calendar', 'static'}
    names: list
    offsets: np.ndarray  #: (T,): steps after the cutoff; 0 is the cutoff itself
    part: np.ndarray  #: (n, S, G, T)
    values: np.ndarray  #: (n, G, T): the inputs in the user's units; NaN for inputs of several columns


def attends(backbone: Backbone) -> bool:
    """Return whether future tokens of the backbone attend to past tokens."""
    with seeded(0):
        layer = backbone.build()
    parts = sublayers(layer) if isinstance(layer, keras.layers.Layer) else ()
    return not backbone.mixes_channels and any(isinstance(part, Attention) for part in parts)


def refuse_attention(backbone: Backbone | Forecaster):
    """Raise an error that lists the networks with attention over past steps."""
    names = [name for name in backbones.names() if attends(backbones.find(name)())]
    rule = f"the network must attend to its past; those that do are {', '.join(names)}"
    refuse("interpret", rule, type(backbone).__name__, "Attributions are available for all.", ParameterError)


def blocks(found: Attribution, raw: dict, place: Place, calendar: tuple) -> list[Block]:
    """Return the attributions by role, summed over the columns of a category or a calendar cycle.

    `raw` has the inputs (n, ..., features) in the user's units, `calendar` the names of the calendar features.
    """
    columns = column_names(place.schema, calendar)
    for role, coded in place.schema.codes().items():  # embedded categories have one column of codes
        columns[role] = columns[role][: -len(coded)]
    past, all_offsets = np.arange(1 - place.lookback, 1), np.arange(1 - place.lookback, place.horizon + 1)
    target_names = list(place.schema.target) if place.mixed else ["target"]
    static = raw["static"][:, None] if columns["static"] else None
    out = [
        Block(
            "target", target_names, past, found.target, raw["target"].reshape(len(place.origins), len(target_names), -1)
        ),
        _grouped("past", columns, past, found.past, raw.get("past")),
        _grouped("known", columns, all_offsets, found.known, raw.get("known")),
        _grouped("calendar", columns, all_offsets, found.calendar, None),
        _grouped("static", columns, np.zeros(1, "int64"), found.static[:, :, None], static),
    ]
    return [block for block in out if block.names]


def _grouped(role, columns, offsets, part, raw):
    """Return a block of attributions (n, S, T, F), summed over columns of the same name."""
    names, belongs = group_columns(columns[role])
    part = np.moveaxis(part @ belongs, -1, 2)
    values = np.full((len(part), len(names), len(offsets)), np.nan)
    if raw is not None:
        single = belongs.sum(axis=0) == 1
        values[:, single] = np.moveaxis(raw @ belongs, -1, 1)[:, single]
    return Block(role, names, offsets, part, values)


@dataclass(frozen=True, eq=False, repr=False)
class Interpretation(Printable):
    """Result of `interpret` for n forecast origins (series, target and cutoff) and S steps.

    Attributes
    ----------
    forecast : DataFrame
        ``[series_id,] [target,] cutoff, step, time, forecast, baseline``: point forecasts, and those at the baseline.
    attribution : DataFrame
        In long format: ``[series_id,] [target,] cutoff, step, time, role, input, input_step, input_time, value,
        attribution``. ``input_step`` is counted like ``step``: 0 is the cutoff, 1 the first step after it; static
        covariates have none.
    importance : DataFrame
        Sum of absolute attributions for each origin and input, averaged over the steps, and its fraction of the total.
    arrays : dict of ndarray of shape (n, S, inputs, times)
        Attributions by role; `inputs` contains the names.
    attention : DataFrame
        In long format: ``[series_id,] [target,] cutoff, step, time, layer, head, input_step, input_time, weight``.
    weights : tuple of ndarray of shape (n, heads, S, lookback)
        Attention by layer: weights of the query of a step for each past step, oldest first.
    selection : DataFrame
        In long format: ``[series_id,] [target,] cutoff, part, role, input, input_step, input_time, weight``, for
        networks with variable selection, such as the TFT: the weight of each input at each step of the past and the
        future, and of static inputs. Weights sum to one over the inputs. 'target' is the past of the target, 'position'
        the position in the horizon.
    completeness_error : float
        Largest difference between the sum of a forecast's attributions and ``forecast - baseline``, relative to the
        largest such change over the steps of the origin.
    points : int
        Number of gradients, or of orders of replacement, averaged for each attribution.
    """

    place: Place
    backbone: Backbone | Forecaster
    found: Attribution | None
    blocks: tuple
    seen: tuple | None
    chosen: tuple = ()

    def summary(self) -> str:
        """One line on what was explained."""
        forecasts, steps = len(self.place.origins), len(self.place.steps)
        counts = f"{forecasts:,} forecast{'s' * (forecasts != 1)}, {steps:,} step{'s' * (steps != 1)}"
        return f"Interpretation of {type(self.backbone).__name__}: {counts}"

    def _shown(self) -> pd.DataFrame | None:
        """Return the mean absolute attribution of the inputs over forecasts, the most important first."""
        if self.found is None:
            return None
        sizes = {
            (block.role, name): np.abs(block.part[:, :, i]).sum(axis=-1).mean()
            for block in self.blocks
            for i, name in enumerate(block.names)
        }
        table = pd.DataFrame([(*key, size) for key, size in sizes.items()], columns=["role", "input", "attribution"])
        return table.sort_values("attribution", ascending=False, kind="stable")

    @property
    def completeness_error(self):
        return self._found().error

    @property
    def points(self):
        return self._found().points

    @property
    def arrays(self):
        return {block.role: block.part for block in self._blocks()}

    @property
    def inputs(self):
        """Names of the inputs by role; the past of each target is named ``target``."""
        return {block.role: list(block.names) for block in self._blocks()}

    @property
    def weights(self):
        if self.seen is None:
            refuse("interpret", "attention must have been computed", "attributions alone", error=ParameterError)
        if not self.seen:
            refuse_attention(self.backbone)
        return self.seen

    @cached_property
    def forecast(self):
        found = self._found()
        columns = {"forecast": found.forecast.ravel(), "baseline": found.baseline.ravel()}
        return self._to_user_frame({**self.place.columns(1), **columns})

    @cached_property
    def attribution(self):
        return output_frames.from_pandas(self._attribution, self.place.schema.library)

    @cached_property
    def importance(self):
        frame = self._attribution
        keys = [*self.place.keys(), "role", "input"]
        sizes = frame["attribution"].abs() / len(self.place.steps)
        table = sizes.groupby([frame[key] for key in keys], sort=False, observed=True).sum().reset_index()
        total = table.groupby(keys[:-2], sort=False, observed=True)["attribution"].transform("sum")
        return self._to_user_frame(table.assign(share=table["attribution"] / total.where(total > 0)))

    @cached_property
    def attention(self):
        return output_frames.from_pandas(self._attention, self.place.schema.library)

    @cached_property
    def _attribution(self):
        place, parts = self.place, self._blocks()
        offsets = np.concatenate([np.tile(block.offsets, len(block.names)) for block in parts])
        width, n = len(offsets), len(place.origins)
        names = np.concatenate([self._names(block) for block in parts], axis=1)
        role = np.concatenate([np.full(block.part[0, 0].size, block.role, dtype=object) for block in parts])
        timeless = np.tile(role == "static", n * len(place.steps))
        columns = {
            "role": np.tile(role, n * len(place.steps)),
            "input": place.over_steps(names),
            "input_step": pd.array(np.tile(offsets, n * len(place.steps)), dtype="Int64"),
            "input_time": place.times_of(offsets),
            "value": place.over_steps(np.concatenate([block.values.reshape(n, -1) for block in parts], axis=1)),
            "attribution": np.concatenate([b.part.reshape(*b.part.shape[:2], -1) for b in parts], axis=2).ravel(),
        }
        frame = pd.DataFrame({**place.columns(width), **columns})
        for name in ("input_step", "input_time") if timeless.any() else ():
            frame[name] = frame[name].mask(timeless)
        return frame

    @cached_property
    def _attention(self):
        place, weights = self.place, np.concatenate(self.weights, axis=1)
        lookback = weights.shape[-1]
        layer = np.repeat(np.arange(len(self.weights)) + 1, [part.shape[1] for part in self.weights])
        head = np.concatenate([np.arange(part.shape[1]) + 1 for part in self.weights])
        offsets, rounds = np.arange(1 - lookback, 1), len(place.origins) * len(place.steps)
        columns = {
            "layer": np.tile(np.repeat(layer, lookback), rounds),
            "head": np.tile(np.repeat(head, lookback), rounds),
            "input_step": np.tile(offsets, rounds * len(head)),
            "input_time": place.times_of(np.tile(offsets, len(head))),
            "weight": weights.swapaxes(1, 2).ravel(),
        }
        return pd.DataFrame({**place.columns(len(head) * lookback), **columns})

    @cached_property
    def selection(self):
        if not self.chosen:
            rule = "the network must select variables, as the TFT does"
            refuse("interpret", rule, type(self.backbone).__name__, error=ParameterError)
        return self._to_user_frame(pd.concat([self._selected(choice) for choice in self.chosen], ignore_index=True))

    def _selected(self, choice):
        """Return the rows of one part of the window."""
        place, (n, names, times) = self.place, choice.weights.shape
        keys = {name: index.repeat(names * times) for name, index in place.keys().items()}
        offsets = np.tile(choice.offsets, n * names)
        columns = {
            "part": choice.part,
            "role": np.tile(np.repeat([role for role, _ in choice.names], times), n),
            "input": np.tile(np.repeat([str(name) for _, name in choice.names], times), n),
            "input_step": pd.array(offsets, dtype="Int64"),
            "input_time": output_frames.timestamps_at(place.panel, place.cutoffs.repeat(names * times) + offsets),
            "weight": choice.weights.ravel(),
        }
        frame = pd.DataFrame({**keys, **columns})
        return frame if choice.part != "static" else frame.assign(input_step=pd.NA, input_time=pd.NaT)

    def _names(self, block):
        """Return the name of every cell of a block, (n, G * T); the past of a target has the target's name."""
        n, times = len(self.place.origins), len(block.offsets)
        names = np.array([block.names] * n, dtype=object)
        if block.role == "target" and not self.place.mixed:
            names = np.array(self.place.schema.target, dtype=object)[self.place.origins.channel][:, None]
        return np.repeat(names, times, axis=1)

    def _found(self):
        if self.found is None:
            refuse("interpret", "attributions must have been computed", "attention alone", error=ParameterError)
        return self.found

    def _blocks(self):
        self._found()
        return self.blocks

    def _to_user_frame(self, columns):
        return output_frames.from_pandas(pd.DataFrame(columns), self.place.schema.library)
