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
#: Bounds of the context width.
SHORTEST, LONGEST = 144, 2100


def context_width(season: int, second: int = 0) -> int:
    """Return the number of past values that are used for these season lengths."""
    return int(np.clip(max(5 * season, 3 * second + 16), SHORTEST, LONGEST))


def usable_second(season: int, second: int) -> int:
    """Return the longer season length if it is usable within a context, otherwise 0."""
    return second if season < second <= LONGEST // 2 else 0


def trial_length(season: int) -> int:
    """Return the steps between the earlier origins at which candidates are evaluated."""
    return int(min(max(season, 4), 24))


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

    def restore(self, outputs: np.ndarray) -> np.ndarray:
        """Convert outputs (B, ...) in units of the scale to the series' units, float64."""
        along = (-1, *[1] * (outputs.ndim - 1))
        return outputs.astype("float64") * self.scale.reshape(along) + self.center.reshape(along)

    def mirrored(self) -> Inputs:
        """Return the inputs of the negated series, as for a negative series without logarithmic candidates."""
        available = self.available.copy()
        available[:, LOGARITHMS] = 0
        context = self.context.copy()
        context[:, SIGNED] *= -1
        context[:, POSITIVE] = 0
        context[:, SUMMARY : SUMMARY + 2 * LATEST] *= -1
        context[:, SUMMARY + 2 * LATEST :] = relative_errors(self.errors, self.tried, available > 0)
        signs = np.repeat([-1, -1, 1], PATCH).astype("float32")
        forecasts = -self.forecasts
        forecasts[:, :, LOGARITHMS] = forecasts[:, :, :1]
        changed = {"context": context, "patches": self.patches * signs, "forecasts": forecasts, "available": available}
        return replace(self, center=-self.center, **changed)


def make_inputs(context: Context, horizon: int, ridge: list[np.ndarray | None] | None = None) -> Inputs:
    """Compute the network's inputs for the steps after a context.

    `ridge` has forecasts of the closed-form regression from the end of the context (B, horizon or more), and from one,
    two and three `trial_length` earlier (B, steps). The unit of a series is its mean absolute seasonal change, shrunk
    towards its standard deviation if few changes are known.
    """
    ridge = ridge or [None] * (PLACES + 1)
    now = None if ridge[0] is None else ridge[0][:, :horizon]
    forecasts, available = candidates(context, horizon, now)
    center, scale, spread, change = units(context)
    safe = np.where(scale > 0, scale, 1.0)[:, None]
    scaled = (context.filled - center[:, None]) / safe
    errors, tried = benchmarked(context, safe, available, ridge[1:])
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
    return values[:, np.clip(np.arange(width - number, width) - lag, 0, width - 1)]


def benchmarked(context: Context, scale: np.ndarray, available, ridge) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate the candidates at earlier origins, separately for the first and the later steps.

    Returned are logarithms of mean absolute errors in units of the scale, (B, K, 2), and where errors exist.
    """
    length = min(trial_length(context.season), context.values.shape[1] // (2 * PLACES))
    near, width = -(-length // 4), context.values.shape[1]
    # One call for all origins: with few series the number of NumPy calls takes the time.
    shifts = [place * length for place in range(1, PLACES + 1)]
    earlier = replace(context, values=np.concatenate([context.before(shift).values for shift in shifts]))
    own = None if ridge[0] is None else np.concatenate([forecast[:, :length] for forecast in ridge])
    forecasts, usable = candidates(earlier, length, own)
    actual = np.concatenate([context.values[:, width - shift :][:, :length] for shift in shifts])
    error = np.abs(forecasts - actual[:, :, None]) / np.tile(scale, (PLACES, 1))[:, :, None]
    usable &= (earlier.age > 2)[:, None]
    bands = [_observed_mean(part) for part in (error[:, :near], error[:, near:])]
    errors = np.stack([np.where(known & usable, mean, np.nan) for mean, known in bands], axis=-1)
    mean, known = _observed_mean(errors.reshape(PLACES, *available.shape, 2))
    logs = np.log(np.where(known, mean, 1.0) + 0.01)
    return logs, known


def relative_errors(logs, tried, available) -> np.ndarray:
    """Return errors minus their mean over available candidates, and that mean, (B, 2 (K + 1)); 0 if unknown."""
    known = tried & available[:, :, None]
    count = np.maximum(known.sum(1, keepdims=True), 1)
    level = (logs * known).sum(1, keepdims=True) / count
    deviations = np.where(known, np.clip(logs - level, -4.0, 4.0), 0.0)
    return np.concatenate([deviations[:, :, 0], deviations[:, :, 1], level[:, 0, 0:1], level[:, 0, 1:2]], axis=1)


def _observed_mean(values):
    """Return the mean of non-missing values and whether there are any.

    The mean is over steps for (B, steps, K), and over origins for (origins, B, K, bands).
    """
    axis = 1 if values.ndim == 3 else 0
    seen = ~np.isnan(values)
    count = seen.sum(axis)
    return np.where(seen, values, 0.0).sum(axis) / np.maximum(count, 1), count > 0


def summary(context: Context, scaled, scale, spread, change) -> np.ndarray:
    """Return features (B, SUMMARY) that describe each series as a whole."""
    season, second, inside, rows = context.season, context.second, context.inside, len(scaled)
    age = np.maximum(context.age, 1)
    ones = np.ones(rows)
    differences = np.diff(scaled, axis=1)
    pairs = inside[:, 1:] & inside[:, :-1]
    yearly = scaled[:, season:] - scaled[:, :-season]
    both = inside[:, season:] & inside[:, :-season]
    raw = context.filled
    is_integer = (np.abs(raw - np.round(raw)) < 1e-9 * np.maximum(np.abs(raw), 1.0)).all(1)
    columns = [
        np.log(age) / 4,
        np.log(season) / 4 * ones,
        (np.log(second) / 4 if second else 0.0) * ones,
        float(second > 0) * ones,
        float(season > 1) * ones,
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
        autocorrelation(differences, pairs, season)[:, 0] if season > 1 else np.zeros(rows),
        autocorrelation(yearly, both, season)[:, 0] if 2 * season < scaled.shape[1] else np.zeros(rows),
        autocorrelation(differences, pairs, second)[:, 0] if second else np.zeros(rows),
    ]
    return np.clip(np.stack(columns, axis=1), -10.0, 10.0)


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
    shared = np.broadcast_to(shared, (len(relative_to_age), *shared.shape))
    return np.concatenate([shared, relative_to_age[:, :, None]], axis=2)
