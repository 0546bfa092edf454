"""Train variants of the network for the same time and compare them: what each part is worth.

    python -m pretraining.ablation --minutes 2 --data FOLDER --corpus corpus.npz --out ablation.jsonl

Variants are trained from nothing and evaluated zero-shot on the development sets of `real_series.py`. Results are JSON
lines with errors relative to the seasonal naive, geometric means over sets. Variants with a line are not run again.
"""

import argparse
import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import numpy as np

import forecastkit.forecasters.pretrained as forecaster_module
from forecastkit.pretrained import inputs
from forecastkit.pretrained.candidates import NAMES, RIDGE
from pretraining import corpus, examples, train
from pretraining.evaluate import evaluate
from pretraining.real_series import DEVELOPMENT

#: Candidates without the smoothed, trend, autoregressive and regression forecasts: values, drifts and means.
SIMPLE = tuple(range(NAMES.index("slow exponential smoothing")))


@contextmanager
def without_candidates(hidden) -> Iterator[None]:
    """Make candidates unavailable, in training and in forecasts."""
    original = inputs.candidates

    def fewer(context, horizon, ridge=None):
        forecasts, available = original(context, horizon, ridge)
        forecasts[:, :, hidden], available[:, hidden] = forecasts[:, :, :1], False
        return forecasts, available

    with mock.patch.object(inputs, "candidates", fewer):
        yield


@contextmanager
def without_seasons() -> Iterator[None]:
    """Tell the network no season lengths, in training and, with ``season_length=1``, in forecasts."""
    original = examples.from_series

    def untold(rng, series, horizon, season, second):
        return original(rng, series, horizon, 1, 0)

    with (
        mock.patch.object(examples, "from_series", untold),
        mock.patch.object(corpus, "from_series", untold),
        mock.patch.object(forecaster_module, "usable_second", return_value=0),
    ):
        yield


#: By name: what is changed, options of `pretraining.train`, and parameters of the forecaster.
CHANGES = {
    "complete": (nullcontext, [], {}),
    "no ridge candidate": (lambda: without_candidates([RIDGE]), [], {}),
    "simple candidates only": (lambda: without_candidates([k for k in range(len(NAMES)) if k not in SIMPLE]), [], {}),
    "no body": (nullcontext, ["--recurrent", "0"], {}),
    "Transformer body": (nullcontext, ["--transformer", "48"], {}),
    "half the width": (nullcontext, ["--units", "96", "--recurrent", "32"], {}),
    "synthetic series only": (nullcontext, ["--real", "0"], {}),
    "no season told": (without_seasons, [], {"season_length": 1}),
}
VARIANTS = {
    f"{name}, seed {seed}": (change, [*flags, "--seed", str(seed)], parameters)
    for name, (change, flags, parameters) in CHANGES.items()
    for seed in range(3)
}


def run(name: str, folder: Path, options) -> dict:
    """Train and evaluate one variant."""
    change, flags, parameters = VARIANTS[name]
    given = ["--out", str(folder), "--minutes", str(options.minutes), "--corpus", options.corpus, *flags]
    with change():
        training = train.Training(train.parser().parse_args(given))
        training.run()
        scores = [
            evaluate(known, options.data, "pretrained", weights=folder / "weights.npz", **parameters)
            for known in DEVELOPMENT.values()
        ]
    naive = [evaluate(known, options.data, "seasonal_naive") for known in DEVELOPMENT.values()]
    relative = {measure: _relative(scores, naive, measure) for measure in ("mase", "wql")}
    about = {"minutes": options.minutes, "steps": training.network.steps, "examples": training.series}
    parameters = sum(int(np.prod(values.shape)) for values in training.network.average.values())
    return {"variant": name, **about, "parameters": parameters, **{k: round(v, 4) for k, v in relative.items()}}


def _relative(scores, naive, measure):
    return float(np.exp(np.mean([np.log(one[measure] / two[measure]) for one, two in zip(scores, naive, strict=True)])))


def main(arguments=None):
    """Run all variants from the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", required=True, type=Path, help="folder of the development sets")
    made.add_argument("--corpus", required=True, help="file written by pretraining.corpus")
    made.add_argument("--minutes", type=float, default=2.0, help="CPU minutes of each variant")
    made.add_argument("--out", required=True, type=Path, help="file of JSON lines to add to")
    made.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    options = made.parse_args(arguments)
    warnings.simplefilter("ignore")
    known = options.out.read_text().splitlines() if options.out.exists() else []
    done = {json.loads(line)["variant"] for line in known}
    for name in options.variants:
        if name in done:
            continue
        with tempfile.TemporaryDirectory() as folder:
            line = run(name, Path(folder), options)
        with open(options.out, "a", encoding="utf-8") as file:
            print(json.dumps(line), file=file)
        print(line, flush=True)


if __name__ == "__main__":
    main()
