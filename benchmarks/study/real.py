"""Measurements on real data: less of it, longer lookbacks, and what a trained network looks at."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy import class_name, parameters, standardise

import forecastkit as fk

#: ETTh1: rows to train, validate and test.
SPLIT = (8640, 2880, 2880)
FIRST = SPLIT[0] + SPLIT[1]
#: Bike sharing: hours to test; M1: steps to forecast and to look back, and the season.
BIKE_TEST = 1440
M1 = {"horizon": 18, "lookback": 24, "season_length": 12}
#: A training short enough for a study: about a thousand steps.
SHORT = {"epochs": 6, "windows_per_epoch": 5_120, "batch_size": 32, "final_epochs": 0, "calibrate": False}
#: What the fewest data allow, so that there are as many steps however many the data are.
SMALL_BATCH = {"batch_size": 16}
#: Test windows are this many rows apart, which meets every hour of the day.
STRIDE = 7


def etth1() -> pd.DataFrame:
    """All rows of the split, standardised by the training rows."""
    return standardise(fk.load_dataset("etth1"), SPLIT)


def bikes() -> pd.DataFrame:
    """Hourly rentals with two covariates known ahead, standardised by the rows before the test."""
    frame = fk.load_dataset("bike_sharing")[["cnt", "temp", "workingday"]].astype("float64")
    before = frame.iloc[:-BIKE_TEST]
    return (frame - before.mean()) / before.std(ddof=0)


def model_of(network: str, seed: int, **settings):
    """The forecaster of a label such as 'gru' or 'transformer:rotary', with those of the settings that it has."""
    name, _, positions = network.partition(":")
    settings |= {"positions": positions} if positions else {}
    own = parameters(name, {**SHORT, "random_state": seed, **settings})
    return getattr(fk, class_name(name))(**own)


def error_after(model, frame: pd.DataFrame, start: int) -> float:
    """Mean squared error of a fitted model over the windows from a row on."""
    table = fk.backtest(model, frame, start=frame.index[start], stride=STRIDE).forecasts
    return float(((table["forecast"] - table["actual"]) ** 2).mean())


def timed(work, *given) -> float:
    """Seconds of the processor, so that other work on the machine does not count."""
    began = time.process_time()
    work(*given)
    return round(time.process_time() - began, 2)


# ---------------------------------------------------------------------------------------------- less data


def shrink(data: str, network: str, percent: float, seed: int, folder: str = "") -> dict:
    """Error after training on so many percent of the training data: the latest rows, or for M1 some of the series."""
    if data == "m1":
        return shrink_series(network, percent, seed, folder)
    frame, test, roles = (etth1(), SPLIT[2], {}) if data == "etth1" else (bikes(), BIKE_TEST, bike_roles())
    before = len(frame) - test
    rows = max(round(before * percent / 100), 110)
    sizes = {"horizon": 24, "lookback": 48, "patch": 4, "season_length": 24, "validation_size": max(rows // 5, 24)}
    model = model_of(network, seed, **SMALL_BATCH, **sizes, **roles)
    spent = timed(model.fit, frame.iloc[before - rows : before])
    known = frame.iloc[before - max(rows, 200) :]
    return {"error": error_after(model, known, len(known) - test), "rows": rows, "fit_seconds": spent}


def bike_roles() -> dict:
    return {"target": "cnt", "known": ["temp", "workingday"]}


def shrink_series(network: str, percent: float, seed: int, folder: str) -> dict:
    """MASE on all series of M1 monthly after training on some of them; networks and linear are shared by all series."""
    table = pd.read_csv(Path(folder) / "m1_monthly.csv.gz")
    table["month"] = table.groupby("id").cumcount()  # some series have no believable year
    given, wanted = table[table["split"] == "train"], table[table["split"] == "test"]
    ids = np.random.default_rng(0).permutation(table["id"].unique())
    count = max(round(len(ids) * percent / 100), 3)
    roles = {"series_id": "id", "time": "month", "target": "y"}
    model = model_of(network, seed, **SMALL_BATCH, **M1, **roles, validation_size=M1["horizon"])
    keep = ["id", "month", "y"]
    spent = timed(model.fit, given.loc[given["id"].isin(ids[:count]), keep])
    forecasts = model.forecast(history=given[keep])
    joined = forecasts.merge(wanted, on=["id", "month"])
    return {"error": mase(joined, given), "rows": int(count), "fit_seconds": spent}


def mase(joined: pd.DataFrame, given: pd.DataFrame) -> float:
    """Mean absolute scaled error: by series, then over series."""
    apart = given.groupby("id")["y"].apply(lambda values: values.diff(M1["season_length"]).abs().mean())
    error = (joined["forecast"] - joined["y"]).abs().groupby(joined["id"]).mean()
    return float((error / apart.reindex(error.index)).replace(np.inf, np.nan).mean())


# ---------------------------------------------------------------------------------------------- lookbacks


def lookback(network: str, hours: int, patch: int, seed: int) -> dict:
    """Error and seconds of forecasting 24 hours of ETTh1 from a longer past, after the same number of steps."""
    frame = etth1()
    sizes = {"horizon": 24, "lookback": hours, "patch": patch, "season_length": 24, "validation_size": 0}
    model = model_of(network, seed, **sizes)
    spent = timed(model.fit, frame.iloc[:FIRST])
    return {"error": error_after(model, frame, FIRST), "fit_seconds": spent}


# ---------------------------------------------------------------------------------------------- looking inside

INSIDE = {"horizon": 24, "lookback": 336, "patch": 12, "season_length": 24, "validation_size": 0}


def inside(network: str, seed: int) -> dict:
    """What a network trained on ETTh1 loses where a day of its past is another window's, and how three ways to say
    what a forecast depends on agree.

    Returns
    -------
    dict
        ``error`` undisturbed; ``disturbed``: by age in days from 1, the error with that day taken from another window;
        ``truncated``: by days kept, the error where all before is held at its first kept value; ``ways`` and
        ``agreement``: rank correlations over the days between attention, attribution and occlusion.
    """
    frame = standardise(fk.load_dataset("etth1"), (FIRST, 0, SPLIT[2]))  # as the model itself scales its rows
    model = model_of(network, seed, **INSIDE)
    model.fit(frame.iloc[:FIRST])
    windows, actual = windows_to_test(frame)
    days = INSIDE["lookback"] // 24
    plain = forecast(model, windows)
    other = np.random.default_rng(0).permutation(len(windows))
    changed = [forecast(model, swapped(windows, other, day)) for day in range(1, days + 1)]
    error = squared(plain, actual)
    result = {"error": error, "disturbed": [squared(each, actual) for each in changed]}
    kept = (1, 2, 3, 5, 7, 10, 14)
    result["truncated"] = [[day, squared(forecast(model, truncated(windows, day)), actual)] for day in kept]
    return {**result, **agreement(model, frame)}


def windows_to_test(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Pasts (n, lookback) and what followed (n, 24), of every column and every third day of the test rows."""
    length = INSIDE["lookback"] + 24
    rows = np.arange(FIRST - INSIDE["lookback"], len(frame) - length, 77)
    values = np.lib.stride_tricks.sliding_window_view(frame.to_numpy(), length, axis=0)[rows].reshape(-1, length)
    return values[:, :-24].astype("float32"), values[:, -24:]


def forecast(model, windows: np.ndarray) -> np.ndarray:
    """Forecasts of standardised windows (n, lookback) by the network itself."""
    return np.asarray(model.model_({"target": windows}, training=False))[..., 0]


def squared(forecasts, actual) -> float:
    return float(((forecasts - actual) ** 2).mean())


def swapped(windows, other, day: int):
    """The windows with the day of this age (1 is the last) from other windows, at the level of their own."""
    part = slice(windows.shape[1] - 24 * day, windows.shape[1] - 24 * (day - 1))
    out = windows.copy()
    foreign = windows[other][:, part]
    out[:, part] = foreign - foreign.mean(axis=1, keepdims=True) + windows[:, part].mean(axis=1, keepdims=True)
    return out


def truncated(windows, days: int):
    """The windows with all before their last days held at the mean of the oldest day kept."""
    out, start = windows.copy(), windows.shape[1] - 24 * days
    out[:, :start] = windows[:, start : start + 24].mean(axis=1, keepdims=True)
    return out


def agreement(model, frame: pd.DataFrame) -> dict:
    """Attention, attribution and occlusion by day of the past, and their rank correlations, mean over origins."""
    cutoffs = range(FIRST - 1, len(frame) - 24, 960)
    what = "all" if "heads" in model.get_params() else "attribution"
    found = [day_shares(model, frame, cutoff, what) for cutoff in cutoffs]
    ways = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    names = list(ways)
    pairs = {
        f"{a} and {b}": float(np.nanmean([rank_correlation(*rows) for rows in zip(ways[a], ways[b], strict=True)]))
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    }
    shares = {name: (values / values.sum(axis=1, keepdims=True)).mean(axis=0).tolist() for name, values in ways.items()}
    return {"ways": shares, "agreement": pairs}


def day_shares(model, frame, cutoff: int, what: str) -> dict:
    """For the seven series at a cutoff, how much each day of the past counts, (7, days), the last day first."""
    found = fk.interpret(model, cutoff=cutoff, history=frame, what=what, steps=[1, 24], tolerance=0.05)
    days = {"attribution": np.abs(found.arrays["target"][:, :, 0]).mean(axis=1)}
    if what == "all":
        days["attention"] = np.mean([weights.mean(axis=(1, 2)) for weights in found.weights], axis=0)
    days = {name: by_day(values) for name, values in days.items()}
    past = frame.to_numpy()[cutoff + 1 - INSIDE["lookback"] : cutoff + 1].T.astype("float32")
    return {**days, "occlusion": occlusion(model, past)}


def by_day(values):
    return values.reshape(len(values), -1, 24).sum(axis=2)[:, ::-1]


def occlusion(model, windows):
    """Mean change of the forecast where a day is held at its mean, (n, days), the last day first."""
    plain, out = forecast(model, windows), []
    for start in range(windows.shape[1] - 24, -1, -24):
        held = windows.copy()
        held[:, start : start + 24] = windows[:, start : start + 24].mean(axis=1, keepdims=True)
        out.append(np.abs(forecast(model, held) - plain).mean(axis=1))
    return np.stack(out, axis=1)


def rank_correlation(a, b) -> float:
    """Spearman's: the correlation of ranks."""
    return float(pd.Series(a).corr(pd.Series(b), method="spearman"))
