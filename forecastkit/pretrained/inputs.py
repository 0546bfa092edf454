"""Inputs of the pre-trained network: candidate forecasts, their recent errors, and the latest values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecastkit.pretrained.candidates import LOGARITHMS, NAMES, Context, autocorrelation, candidates, slope_of

#: Length and number of the patches of latest values; number of latest values that are separate inputs.
PATCH, PATCHES, LATEST = 8, 16, 16
#: Input features per patch, per context and per step; `benchmarked` and `summary` determine them.
CHANNELS = 3 * PATCH
PLACES = 3  # number of earlier origins at which candidates are evaluated
SUMMARY = 20
#: Summary features whose sign changes with that of the series, and the indicator of positive series.
SIGNED, POSITIVE = (9, 10, 11), 12
FEATURES = SUMMARY + 2 * LATEST + 2 * (len(NAMES) + 1)
STEP_FEATURES = 6
#: Which candidates are of logarithms, and the signs of summary and latest values for a negated series.
IS_LOGARITHM = np.isin(np.arange(len(NAMES)), LOGARITHMS)
MIRROR = np.ones(SUMMARY + 2 * LATEST, dtype="float32")
MIRROR[[*SIGNED, *range(SUMMARY, SUMMARY + 2 * LATEST)]], MIRROR[POSITIVE] = -1, 0
#: Number of series up to which the candidates of all origins are made in one call, although some steps are not used.
FEW = 16
#: Bounds of the context width.
SHORTEST, LONGEST = 144, 2100


def context_width(season: int, second: int = 0) -> int:
    """Return the number of past values that are used for these season lengths."""
    return min(max(5 * season, 3 * second + 16, SHORTEST), LONGEST)


def usable_second(season: int, second: int) -> int:
    """Return the longer season length if it is usable within a context, otherwise 0."""
    return second if season < second <= LONGEST // 2 else 0


def trial_length(season: int) -> int:
    """Return the steps between the earlier origins at which candidates are evaluated."""
    return min(max(season, 4), 24)


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of the network, float32, in units of each series' scale, and the scaling."""

    context: np.ndarray  #: (B, FEATURES)
    patches: np.ndarray  #: (B, PATCHES, CHANNELS)
    steps: np.ndarray  #: (B, H, STEP_FEATURES)
    forecasts: np.ndarray  #: (B, H, K)
    available: np.ndarray  #: (B, K)
    center: np.ndarray  #: (B,), float64: a scale of 0 marks a constant series
    scale: np.ndarray  #: (B,), float64
    errors: np.ndarray  #: (B, K, 2): logarithms of the candidates' errors at earlier origins
    tried: np.ndarray  #: (B, K, 2), bool: where these errors exist

    def network(self) -> dict[str, np.ndarray]:
        """Return the input arrays of the network by name."""
        names = ("context", "patches", "steps", "forecasts", "available")
        return {name: getattr(self, name) for name in names}

    def mirrored(self) -> Inputs:
        """Return the inputs of the negated series, as for a negative series without logarithmic candidates."""
        available = self.available * ~IS_LOGARITHM
        errors = relative_errors(self.errors, self.tried, available > 0).astype("float32")
        context = np.concatenate([self.context[:, : len(MIRROR)] * MIRROR, errors], axis=1)
        patches = self.patches * np.repeat([-1, -1, 1], PATCH).astype("float32")
        forecasts = -np.where(IS_LOGARITHM, self.forecasts[:, :, :1], self.forecasts)
        changed = {"context": context, "patches": patches, "forecasts": forecasts, "available": available}
        return replace(self, center=-self.center, **changed)

    def of_both_signs(self) -> dict[str, np.ndarray]:
        """Return the input arrays of the network for the series and then for the negated ones, (2 B, ...)."""
        both = self.network(), self.mirrored().network()
        return {name: np.concatenate([one[name] for one in both]) for name in both[0]}

    def mean_of_both_signs(self, outputs: np.ndarray) -> np.ndarray:
        """Return quantiles (B, H, levels), in the series' units, from outputs for `of_both_signs`."""
        upright, mirrored = outputs.astype("float64").reshape(2, -1, *outputs.shape[1:])
        scale, center = self.scale[:, None, None], self.center[:, None, None]
        # The sign of a series is arbitrary: the mean of both forecasts is more accurate than either.
        return 0.5 * (upright - mirrored[..., ::-1]) * scale + center


def make_inputs(context: Context, horizon: int, ridge: list[np.ndarray | None] | None = None) -> Inputs:
    """Compute the network's inputs for the steps after a context.

    `ridge` has forecasts of the closed-form regression from the end of the context (B, horizon or more), and from one,
    two and three `trial_length` earlier (B, steps). The unit of a series is its mean absolute seasonal change, shrunk
    towards its standard deviation if few changes are known.
    """
    (forecasts, available), earlier = candidates_at_origins(context, horizon, ridge)
    center, scale, spread, change = units(context)
    safe = np.where(scale > 0, scale, 1.0)[:, None]
    scaled = (context.filled - center[:, None]) / safe
    errors, tried = benchmarked(context, safe, *earlier)
    latest = np.arcsinh(_latest(scaled, LATEST))
    changes = np.arcsinh(_latest(scaled, LATEST) - _latest(scaled, LATEST, context.season))
    known = summary(context, scaled, safe[:, 0], spread, change)
    return Inputs(
        context=np.concatenate([known, latest, changes, relative_errors(errors, tried, available)], axis=1).astype(
            "float32"
        ),
        patches=patches(context, scaled),
        steps=step_features(context, horizon).astype("float32"),
        forecasts=((forecasts - center[:, None, None]) / safe[:, :, None]).astype("float32"),
        available=available.astype("float32"),
        center=center,
        scale=scale,
        errors=errors,
        tried=tried,
    )


def units(context: Context):
    """Return center, scale, standard deviation and mean change per step of each series, each (B,)."""
    values, season, inside = context.filled, context.season, context.inside
    count = np.maximum(inside.sum(1), 1)
    spread = np.sqrt(np.maximum(((values - values[:, -1:]) ** 2 * inside).sum(1) / count, 0.0))
    mean = (values * inside).sum(1) / count
    deviation = np.sqrt(np.maximum(((values - mean[:, None]) ** 2 * inside).sum(1) / count, 0.0))
    reach = min(values.shape[1], 4 * season + 32)
    recent, within = values[:, -reach:], inside[:, -reach:]

    def change(lag):
        pairs = within[:, lag:] & within[:, :-lag]
        number = pairs.sum(1)
        return (np.abs(recent[:, lag:] - recent[:, :-lag]) * pairs).sum(1), number

    total, number = change(season)
    scale = (total + 3.0 * deviation) / (number + 3.0)
    scale = np.where(scale > 1e-9 * np.maximum(np.abs(mean), spread), scale, 0.0)
    one, steps = change(1)
    return values[:, -min(season, values.shape[1]) :].mean(1), scale, deviation, one / np.maximum(steps, 1)


def _latest(values, number, lag=0):
    """Return the last `number` columns, shifted back by `lag`; the first column is repeated before the start."""
    width = values.shape[1]
    return values[:, np.maximum(np.arange(width - number, width) - lag, 0)]


def candidates_at_origins(context: Context, horizon: int, ridge: list[np.ndarray] | None) -> tuple[tuple, tuple]:
    """Return the `candidates` after the context and, from all earlier origins in turn, of the steps of a trial."""
    length = min(trial_length(context.season), context.values.shape[1] // (2 * PLACES))
    earlier = [context.before(place * length) for place in range(1, PLACES + 1)]

    def made(contexts, steps, own):
        together = replace(context, values=np.concatenate([one.values for one in contexts]))
        own = np.concatenate([forecast[:, :steps] for forecast in own]) if own else None
        forecasts, available = candidates(together, steps, own)
        return forecasts, available & ((together.age > 2)[:, None] | (len(contexts) == 1))

    few = not isinstance(context.values, np.ndarray) or len(context.values) <= FEW
    if few and len({forecast.shape[1] for forecast in ridge or []}) <= 1:
        # With few series the number of NumPy calls takes the time.
        found = made([context, *earlier], max(horizon, length), ridge)
        forecasts, available = (part.reshape(PLACES + 1, -1, *part.shape[1:]) for part in found)
        now = forecasts[0][:, :horizon], available[0]
        return now, (forecasts[1:, :, :length], available[1:])
    found = made(earlier, length, ridge and ridge[1:])
    return made([context], horizon, ridge and ridge[:1]), tuple(
        part.reshape(PLACES, -1, *part.shape[1:]) for part in found
    )


def benchmarked(context: Context, scale: np.ndarray, forecasts, usable) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate candidates at earlier origins, separately for the first and the later steps.

    They are (PLACES, B, steps, K), usable ones (PLACES, B, K). Returned are logarithms of mean absolute errors in units
    of the scale, (B, K, 2), and where errors exist.
    """
    length, width = forecasts.shape[2], context.values.shape[1]
    near = -(-length // 4)
    stops = [width - place * length for place in range(1, PLACES + 1)]
    actual = np.stack([context.values[:, stop : stop + length] for stop in stops])
    error = np.abs(forecasts - actual[..., None]) / scale[:, :, None]
    bands = [_observed_mean(part, 2) for part in (error[:, :, :near], error[:, :, near:])]
    errors = np.stack([np.where(known & usable, mean, np.nan) for mean, known in bands], axis=3)
    mean, known = _observed_mean(errors, 0)
    logs = np.log(np.where(known, mean, 1.0) + 0.01)
    return logs, known


def relative_errors(logs, tried, available) -> np.ndarray:
    """Return errors minus their mean over available candidates, and that mean, (B, 2 (K + 1)); 0 if unknown."""
    known = tried & available[:, :, None]
    count = np.maximum(known.sum(1, keepdims=True), 1)
    level = (logs * known).sum(1, keepdims=True) / count
    deviations = np.where(known, np.minimum(np.maximum(logs - level, -4.0), 4.0), 0.0)
    return np.concatenate([deviations[:, :, 0], deviations[:, :, 1], level[:, 0, 0:1], level[:, 0, 1:2]], axis=1)


def _observed_mean(values, axis):
    """Return the mean of non-missing values along an axis, and whether there are any."""
    seen = ~np.isnan(values)
    count = seen.sum(axis)
    return np.where(seen, values, 0.0).sum(axis) / np.maximum(count, 1), count > 0


def summary(context: Context, scaled, scale, spread, change) -> np.ndarray:
    """Return features (B, SUMMARY) that describe each series as a whole."""
    season, second, inside = context.season, context.second, context.inside
    age = np.maximum(context.age, 1)
    zeros = np.zeros_like(spread)
    differences = scaled[:, 1:] - scaled[:, :-1]
    pairs = inside[:, 1:] & inside[:, :-1]
    yearly = scaled[:, season:] - scaled[:, :-season]
    both = inside[:, season:] & inside[:, :-season]
    raw = context.filled
    is_integer = (np.abs(raw - np.floor(raw + 0.5)) < 1e-9 * np.maximum(np.abs(raw), 1.0)).all(1)
    columns = [
        np.log(age) / 4,
        zeros + np.log(season) / 4,
        zeros + (np.log(second) / 4 if second else 0.0),
        zeros + float(second > 0),
        zeros + float(season > 1),
        np.log(age / season) / 4,
        (context.observed & inside).sum(1) / age,
        np.log(spread / scale + 0.01),
        np.log(change / scale + 0.01),
        np.arcsinh(slope_of(scaled, inside)[:, 0] * season),
        np.arcsinh(slope_of(scaled[:, -3 * season - 8 :], inside[:, -3 * season - 8 :])[:, 0] * season),
        np.arcsinh(raw[:, -season:].mean(1) / scale) / 4,
        context.positive * 1.0,
        is_integer * 1.0,
        ((raw == 0) & inside).sum(1) / age,
        autocorrelation(differences, pairs)[:, 0],
        autocorrelation(yearly, both)[:, 0],
        autocorrelation(differences, pairs, season)[:, 0] if season > 1 else zeros,
        autocorrelation(yearly, both, season)[:, 0] if 2 * season < scaled.shape[1] else zeros,
        autocorrelation(differences, pairs, second)[:, 0] if second else zeros,
    ]
    return np.minimum(np.maximum(np.stack(columns, axis=1), -10.0), 10.0)


def patches(context: Context, scaled) -> np.ndarray:
    """Return values, seasonal changes and mask of the latest steps, (B, PATCHES, CHANNELS) float32, oldest first."""
    number = PATCH * PATCHES
    inside = _latest(context.inside & context.observed, number)
    values = np.arcsinh(_latest(scaled, number)) * inside
    changes = np.arcsinh(_latest(scaled, number) - _latest(scaled, number, context.season)) * inside
    parts = [part.reshape(-1, PATCHES, PATCH) for part in (values, changes, inside.astype("float64"))]
    return np.concatenate(parts, axis=2).astype("float32")


def step_features(context: Context, horizon: int) -> np.ndarray:
    """Return the position of each step, (B, H, STEP_FEATURES), absolute and relative to season and series length."""
    steps, season = np.arange(1, horizon + 1.0), context.season
    angle = 2 * np.pi * steps / season
    shared = np.stack([np.log(steps) / 4, np.log1p(steps / season), np.sin(angle), np.cos(angle), 1 / steps], axis=1)
    relative_to_age = np.log(steps / np.maximum(context.age, 1)[:, None]) / 4
    shared = shared + np.zeros_like(relative_to_age[:, :1, None])
    return np.concatenate([shared, relative_to_age[:, :, None]], axis=2)
