"""Forecasts of other libraries with their own defaults, run by a Python that has them: ``METHOD GIVEN.npz MADE.npz``.

Statistical models are fitted afresh at every origin, on at most `MAX_REFIT` rows; on more they are fitted once and
moved forward. Boosted trees and networks are fitted once before the test block. Everybody is told the season.
"""

import json
import os
import sys
import time
import warnings

import numpy as np
import pandas as pd

MAX_REFIT = 1_500
#: Central intervals whose ends are the deciles.
WIDTHS = (80, 60, 40, 20)


def frame_of(values, lengths):
    ids = np.repeat([f"s{place:05d}" for place in range(len(lengths))], lengths)
    rows = np.concatenate([np.arange(n) for n in lengths])
    return pd.DataFrame({"unique_id": ids, "ds": rows, "y": values})


def statistical(model, frame, lengths, sizes):
    """AutoETS, AutoTheta or MSTL of statsforecast, with their own intervals."""
    from statsforecast import StatsForecast

    engine = StatsForecast(models=[model], freq=1, n_jobs=1)
    made = engine.cross_validation(
        df=frame,
        h=sizes["horizon"],
        step_size=sizes["stride"],
        n_windows=sizes["origins"],
        level=list(WIDTHS),
        refit=bool(lengths.max() <= MAX_REFIT),
    ).sort_values(["unique_id", "cutoff", "ds"])
    name = repr(model)
    low = [f"{name}-lo-{width}" for width in WIDTHS]
    high = [f"{name}-hi-{width}" for width in reversed(WIDTHS)]
    shape = len(lengths), sizes["origins"], sizes["horizon"]
    columns = [*low, name, *high]
    return made[name].to_numpy().reshape(shape), made[columns].to_numpy().reshape(*shape, 9)


def trees(frame, lengths, sizes):
    """LightGBM with its defaults on a season of lags, standardised series by series, one step at a time."""
    import lightgbm
    from mlforecast import MLForecast
    from mlforecast.target_transforms import LocalStandardScaler

    season, shortest = sizes["season"], int(lengths.min()) - sizes["test_rows"]
    lags = sorted({*range(1, min(max(season, 3), 24) + 1), season, 2 * season})
    lags = [lag for lag in lags if lag < shortest // 2] or [1]
    model = MLForecast(
        models={"trees": lightgbm.LGBMRegressor(verbosity=-1, n_jobs=1, random_state=0)},
        freq=1,
        lags=lags,
        target_transforms=[LocalStandardScaler()],
    )
    made = model.cross_validation(
        frame, n_windows=sizes["origins"], h=sizes["horizon"], step_size=sizes["stride"], refit=False
    ).sort_values(["unique_id", "cutoff", "ds"])
    return made["trees"].to_numpy().reshape(len(lengths), sizes["origins"], sizes["horizon"]), None


def network(name, frame, lengths, sizes):
    """N-HiTS or PatchTST of neuralforecast with their defaults and a lookback as its tutorials take it."""
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MQLoss
    from neuralforecast.models import NHITS, PatchTST

    shortest = int(lengths.min()) - sizes["test_rows"] - sizes["horizon"]
    lookback = max(min(max(2 * sizes["horizon"], 2 * sizes["season"]), max(shortest, 1)), 1)
    more = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "accelerator": "cpu"}
    kind = {"nhits": NHITS, "patchtst": PatchTST}[name]
    model = kind(
        h=sizes["horizon"], input_size=lookback, loss=MQLoss(level=list(WIDTHS)), scaler_type="robust",
        random_seed=1, start_padding_enabled=True, **more,
    )  # fmt: skip
    engine = NeuralForecast(models=[model], freq=1)
    made = engine.cross_validation(
        frame, n_windows=sizes["origins"], step_size=sizes["stride"], refit=False
    ).sort_values(["unique_id", "cutoff", "ds"])
    label = repr(model)
    columns = [f"{label}-lo-{w}" for w in WIDTHS] + [f"{label}-median"] + [f"{label}-hi-{w}" for w in reversed(WIDTHS)]
    columns = [name if name in made else f"{name}.0" for name in columns]
    shape = len(lengths), sizes["origins"], sizes["horizon"]
    quantiles = made[columns].to_numpy().reshape(*shape, 9)
    return quantiles[..., 4], quantiles


def forecasts(name, frame, lengths, sizes):
    if name == "lightgbm":
        return trees(frame, lengths, sizes)
    if name in ("nhits", "patchtst"):
        return network(name, frame, lengths, sizes)
    from statsforecast.models import MSTL, AutoETS, AutoTheta

    season = sizes["season"]
    models = {
        "auto_ets": lambda: AutoETS(season_length=season),
        "auto_theta": lambda: AutoTheta(season_length=season),
        "mstl": lambda: MSTL(season_length=season if season > 1 else 2),
    }
    return statistical(models[name](), frame, lengths, sizes)


def main(name, given, made):
    warnings.filterwarnings("ignore")
    os.environ.setdefault("NIXTLA_ID_AS_COL", "1")
    found = np.load(given)
    sizes, lengths = json.loads(str(found["sizes"])), found["lengths"]
    frame = frame_of(found["values"], lengths)
    began = time.perf_counter()
    point, quantiles = forecasts(name, frame, lengths, sizes)
    seconds = time.perf_counter() - began
    more = {} if quantiles is None else {"quantiles": np.sort(quantiles, axis=-1)}
    np.savez(made, point=point, fit_seconds=seconds, seconds=seconds, **more)


if __name__ == "__main__":
    main(*sys.argv[1:])
