"""Scores of one method on one data set, and the table over many sets relative to the seasonal naive."""

import numpy as np
import pandas as pd

LEVELS = tuple(np.round(np.arange(1, 10) / 10, 1).tolist())
#: Draws of sets with replacement behind an interval of a geometric mean.
DRAWS = 2_000
REFERENCE = "seasonal_naive"


def score(task, point: np.ndarray, quantiles: np.ndarray | None) -> dict:
    """MASE, WQL and coverage of forecasts (series, origins, horizon) and quantiles (..., 9).

    MASE is the mean over series, windows and steps of absolute errors in units of the series' mean seasonal change
    before the test block; series without a change are left out. WQL is twice the pinball loss over the deciles in
    units of the actuals' size, all series summed.
    """
    actual = task.actual()
    scale = np.array([seasonal_change(v[: -task.about.test_rows], task.about.season) for v in task.values])
    error = np.abs(actual - point) / np.where(scale > 0, scale, np.nan)[:, None, None]
    if np.isnan(error[~np.isnan(actual) & (scale > 0)[:, None, None]]).any():
        raise ValueError("a forecast is missing")
    line = {"mase": float(np.nanmean(error)), "series": len(task.ids), "windows": len(task.ids) * task.about.origins}
    if quantiles is not None:
        inside = (actual >= quantiles[..., 0]) & (actual <= quantiles[..., -1])
        line |= {"wql": wql(actual, quantiles), "coverage_80": float(inside[~np.isnan(actual)].mean())}
    return line


def seasonal_change(past: np.ndarray, season: int) -> float:
    """Mean absolute change over a season; over a step where the series has no two seasons; NaN where unknown."""
    season = season if len(past) > season else 1
    change = np.abs(past[season:] - past[:-season])
    return float(np.nanmean(change)) if (~np.isnan(change)).any() else float("nan")


def wql(actual: np.ndarray, quantiles: np.ndarray) -> float:
    """Weighted quantile loss over the deciles."""
    error = actual[..., None] - quantiles
    levels = np.array(LEVELS)
    return float(
        2 * np.nansum(np.maximum(levels * error, (levels - 1) * error)) / len(LEVELS) / np.nansum(np.abs(actual))
    )


def summary(lines: list[dict]) -> pd.DataFrame:
    """A row for each part of the sets and method: geometric means relative to the seasonal naive with their 95 %
    intervals over sets, the worst set, the mean coverage and the seconds of all sets."""
    frame = pd.DataFrame(lines).drop_duplicates(["set", "method"], keep="last")
    base = frame[frame["method"] == REFERENCE].set_index("set")
    frame = frame[frame["set"].isin(base.index)]
    for name in ("mase", "wql"):
        frame[f"relative_{name}"] = frame[name] / base[name].reindex(frame["set"]).to_numpy()
    parts = {"all": frame, "development": frame[frame["development"]], "reported only": frame[~frame["development"]]}
    rows = [
        {"sets": part, **method_row(name, own)}
        for part, rows in parts.items()
        for name, own in rows.groupby("method", sort=False)
    ]
    return pd.DataFrame(rows).sort_values(["sets", "n", "mase"], ascending=[True, False, True]).reset_index(drop=True)


def method_row(name: str, own: pd.DataFrame) -> dict:
    """The figures of one method over its sets."""
    low, high = bootstrap(own["relative_mase"].to_numpy())
    worst = own.loc[own["relative_mase"].idxmax()]
    return {
        "method": name,
        "n": len(own),
        "mase": geometric_mean(own["relative_mase"]),
        "interval": f"{low:.3f} to {high:.3f}",
        "wql": geometric_mean(own["relative_wql"]) if own["relative_wql"].notna().all() else float("nan"),
        "worst": f"{worst['relative_mase']:.2f} {worst['set']}",
        "coverage": own["coverage_80"].mean(),
        "seconds": own["seconds"].sum(),
    }


def geometric_mean(ratios) -> float:
    return float(np.exp(np.mean(np.log(np.asarray(ratios, dtype="float64")))))


def bootstrap(ratios: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of geometric means of sets drawn with replacement."""
    drawn = np.random.default_rng(0).choice(np.log(ratios), (DRAWS, len(ratios)))
    return tuple(np.exp(np.quantile(drawn.mean(axis=1), [0.025, 0.975])).tolist())


def wide(lines: list[dict], score_name: str = "mase") -> pd.DataFrame:
    """A row for each set, a column for each method: the score relative to the seasonal naive."""
    frame = pd.DataFrame(lines).drop_duplicates(["set", "method"], keep="last")
    table = frame.pivot(index="set", columns="method", values=score_name)
    return table.div(table[REFERENCE], axis=0)
