"""M1 and M4 (Hourly and Weekly) by the official split and formulas: OWA, MASE and sMAPE, a JSON line per model.

Every model is fitted on the training rows and forecasts each series once. Choices were made on the block `validation`,
the last horizon of every training series; the block `test` is the official one. Lines that are there are not run again.
The table of all lines is printed at the end, for M4 with entries of the published table. `--check` scores the published
forecasts of M4 instead, and our Naive2, SES and Theta, and compares them with the published table.
"""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

import accuracy
import blocks
import classical
import numpy as np
import pandas as pd
import table

ERRORS = ["owa", "mase", "smape"]
#: Entries of M4 shown beside ours, and the published forecasts that are scored to check the formulas.
ENTRIES = {
    "118": "Smyl, winner of M4",
    "245": "Montero-Manso et al., second",
    "211": "Trotta, best of machine learning alone",
    "Theta": "Theta, published",
    "Damped": "damped ETS, published",
}
PUBLISHED = ("Naive", "Naive2", "sNaive", "SES")


@dataclass(frozen=True)
class Competition:
    """A part of a competition.

    Attributes
    ----------
    horizon, season : int
        Steps forecast, and the season of MASE and of the classical methods.
    network : dict
        Parameters of every network.
    linear : dict of str to dict
        Parameters of linear forecasters by name; those named ``each`` are fitted on every series alone.
    frequency : str
        Its name in the published table of M4; empty for M1.
    """

    horizon: int
    season: int
    network: dict
    linear: dict = field(default_factory=dict)
    frequency: str = ""


LOG = {"target_transform": "log1p"}
ROOT = {"target_transform": "sqrt"}
WHOLE = {"normalization": "standard"}
COMPETITIONS = {
    "m1_yearly": Competition(6, 1, {"lookback": 6, "patch": 1, **LOG}, {"linear": {"lookback": 6, **LOG}}),
    "m1_quarterly": Competition(
        8, 4, {"lookback": 16, "patch": 4, **LOG, **WHOLE}, {"linear": {"lookback": 16, **LOG}}
    ),
    "m1_monthly": Competition(
        18, 12, {"lookback": 72, "patch": 12, **ROOT, **WHOLE}, {"linear": {"lookback": 72, **ROOT}}
    ),
    "m4_hourly": Competition(
        48,
        24,
        {"lookback": 504, "patch": 24, **LOG, **WHOLE},
        {
            "linear": {"lookback": 552, **LOG},
            "each_168": {"lookback": 168, **LOG},
            "each_336": {"lookback": 336, **LOG},
        },
        "Hourly",
    ),
    "m4_weekly": Competition(
        13,
        1,
        {"lookback": 65, "patch": 13, **LOG, **WHOLE},
        {"linear": {"lookback": 65, **LOG}, "each_52": {"lookback": 52, **LOG}},
        "Weekly",
    ),
}


@dataclass(frozen=True)
class Block:
    """Series to learn from and what came after.

    Attributes
    ----------
    ids : list of str
    past : list of ndarray
        The training values of each series.
    actual : ndarray of shape (series, horizon)
    """

    ids: list
    past: list
    actual: np.ndarray


# The data -------------------------------------------------------------------------------------------------------------


def read(folder: Path, name: str, block: str) -> Block:
    """The official split, or for validation the training rows alone, split once more."""
    whole = read_m4(folder, name) if name.startswith("m4") else read_m1(folder, name)
    if block == "test":
        return whole
    horizon = COMPETITIONS[name].horizon
    kept = [past[:-horizon] for past in whole.past]
    return Block(whole.ids, kept, np.array([past[-horizon:] for past in whole.past]))


def read_m4(folder: Path, name: str) -> Block:
    """One series a row, from the left, blanks at the end."""
    train, test = (pd.read_csv(folder / f"{name}_{part}.csv.gz", index_col=0) for part in ("train", "test"))
    past = [row[~np.isnan(row)] for row in train.to_numpy("float64")]
    return Block(list(train.index), past, test.loc[train.index].to_numpy("float64"))


def read_m1(folder: Path, name: str) -> Block:
    """Columns id, ds, y, split; rows in time."""
    frame = pd.read_csv(folder / f"{name}.csv.gz", dtype={"id": str})
    parts = {split: dict(list(rows.groupby("id", sort=False)["y"])) for split, rows in frame.groupby("split")}
    ids = list(parts["train"])
    past = [parts["train"][key].to_numpy("float64") for key in ids]
    return Block(ids, past, np.array([parts["test"][key] for key in ids], dtype="float64"))


# Scores ---------------------------------------------------------------------------------------------------------------


def errors_of(block: Block, forecast: np.ndarray, season: int) -> dict:
    """Means over series of MASE (seasonal naive within the training rows) and of sMAPE, in percent."""
    from forecastkit import metrics

    scale = [metrics.seasonal_scale(past, season if len(past) > season else 1) for past in block.past]
    return {
        "mase": float(np.mean(metrics.mase(block.actual, forecast, np.array(scale), axis=1))),
        "smape": float(np.mean(metrics.smape(block.actual, forecast, axis=1))),
    }


def classic(method: str, block: Block, competition: Competition) -> np.ndarray:
    """Forecasts of a classical method, series by series."""
    function = classical.METHODS[method]
    return np.array([function(past, competition.horizon, competition.season) for past in block.past])


def scorer(block: Block, competition: Competition):
    """A function of forecasts that gives the errors, with OWA against Naive2 on the same rows."""
    from forecastkit import metrics

    naive2 = errors_of(block, classic("naive2", block, competition), competition.season)

    def score(forecast):
        own = errors_of(block, forecast, competition.season)
        owa = metrics.owa(own["smape"], own["mase"], naive2["smape"], naive2["mase"])
        rounded = {name: round(value, 4) for name, value in {"owa": float(owa), **own}.items()}
        return {**rounded, "series": len(block.ids)}

    return score


# Models ---------------------------------------------------------------------------------------------------------------


def task_of(name: str, block: Block) -> blocks.Task:
    """What `blocks` needs of a competition: forecasts of a model and their errors."""
    competition = COMPETITIONS[name]

    def measure(model, seed, changes):
        began = time.perf_counter()
        if model in classical.METHODS:
            forecast = classic(model, block, competition)
        elif model.startswith("each"):
            forecast = one_each(model, block, competition)
        else:
            forecast = shared(model, seed, changes, block, competition)
        return forecast, time.perf_counter() - began

    return blocks.Task(measure, scorer(block, competition))


def shared(model: str, seed: int | None, changes: dict, block: Block, competition: Competition) -> np.ndarray:
    """Forecasts (series, horizon) of one forecaster fitted on all series at once."""
    import forecastkit as fk

    seeded = {} if seed is None else {"random_state": seed}
    own = competition.linear.get(model, competition.network if model in blocks.SEEDED else {})
    sizes = {"horizon": competition.horizon, "season_length": competition.season}
    roles = {"series_id": "id", "time": "row", "target": "y"}
    forecaster = getattr(fk, accuracy.class_name(model))(**sizes, **roles, **{**own, **changes}, **seeded)
    frame = forecaster.fit(long(block)).forecast(quantile_levels=[])
    return frame.pivot(index="id", columns="step", values="forecast").loc[block.ids].to_numpy()


def one_each(model: str, block: Block, competition: Competition) -> np.ndarray:
    """Forecasts (series, horizon) of linear forecasters, one for every series, of shorter lookbacks for short ones."""
    import forecastkit as fk

    own = dict(competition.linear[model])
    lookback, horizon = own.pop("lookback"), competition.horizon
    sizes = {"horizon": horizon, "season_length": competition.season, **own}
    fitted = [
        fk.LinearForecaster(lookback=min(lookback, len(past) - 2 * horizon - 2), **sizes).fit(past)
        for past in block.past
    ]
    return np.array([forecaster.predict() for forecaster in fitted])


def long(block: Block) -> pd.DataFrame:
    """All training rows, numbered from the first of each series: when they were is not known."""
    lengths = [len(past) for past in block.past]
    places = np.concatenate([np.arange(length) for length in lengths])
    return pd.DataFrame({"id": np.repeat(block.ids, lengths), "row": places, "y": np.concatenate(block.past)})


# What was published ---------------------------------------------------------------------------------------------------


def entries(folder: Path, competition: Competition) -> list[dict]:
    """Errors of published entries, as lines of results."""
    path = folder / "m4_published_results.csv"
    if not competition.frequency or not path.exists():
        return []
    frame = pd.read_csv(path)
    frame = frame[(frame["kind"] == "Point Forecasts") & (frame["frequency"] == competition.frequency)]
    wide = frame.pivot_table(index="method_or_user_id", columns="metric", values="value")
    return [
        {
            "model": shown,
            "block": "test",
            **{error.lower(): wide.loc[name, error] for error in ("OWA", "MASE", "sMAPE")},
        }
        for name, shown in ENTRIES.items()
        if name in wide.index
    ]


def check(folder: Path) -> str:
    """Our scores of published forecasts, and of our own classical ones, beside the published scores."""
    published = pd.read_csv(folder / "m4_published_results.csv")
    published = published.set_index(["kind", "method_or_user_id", "metric", "frequency"])["value"]
    rows = []
    for name in ("m4_hourly", "m4_weekly"):
        competition, block = COMPETITIONS[name], read(folder, name, "test")
        for method, forecast in classical_forecasts(folder, name, block):
            own = errors_of(block, forecast, competition.season)
            key = {"naive2": "Naive2", "ses": "SES", "theta": "Theta"}.get(method, method)
            said = [published["Point Forecasts", key, metric, competition.frequency] for metric in ("sMAPE", "MASE")]
            shown = [f"{own['smape']:.3f}", f"{said[0]:.3f}", f"{own['mase']:.3f}", f"{said[1]:.3f}"]
            rows.append([name, method, *shown])
    head = ["part", "forecasts", "smape", "smape, published", "mase", "mase, published"]
    return table.markdown(pd.DataFrame(rows, columns=head))


def classical_forecasts(folder: Path, name: str, block: Block):
    """Pairs of a method and its forecasts: those of the competition's files by its own name, then ours."""
    frame = pd.read_csv(folder / f"{name}_benchmark_forecasts.csv.gz")
    for method in PUBLISHED:
        rows = frame[frame["method"] == method].set_index("id").loc[block.ids]
        yield method, rows.drop(columns="method").to_numpy("float64")
    for method in classical.METHODS:
        yield method, classic(method, block, COMPETITIONS[name])


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the competitions' files")
    parser.add_argument("--check", action="store_true", help="compare formulas with published figures, and no more")
    parser.add_argument("--part", choices=COMPETITIONS, default="m4_hourly")
    args, rest = parser.parse_known_args(argv)
    if args.check:
        print(check(args.data))
        return
    options = blocks.arguments(__doc__, rest, csv=False)
    task = task_of(args.part, read(args.data, args.part, options.block))
    blocks.run(task, options, ERRORS, entries(args.data, COMPETITIONS[args.part]))


if __name__ == "__main__":
    blocks.use_checkout()
    main()
