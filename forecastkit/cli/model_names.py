"""Names that ``--model`` and ``--loss`` take. Light: read from the files of the package, which are not imported."""

import re
from pathlib import Path

import forecastkit
from forecastkit.networks import backbones

#: Classes of forecasters that train no network.
SIMPLE = {
    "naive": "NaiveForecaster",
    "seasonal_naive": "SeasonalNaiveForecaster",
    "drift": "DriftForecaster",
    "mean": "MeanForecaster",
    "linear": "LinearForecaster",
    "theta": "ThetaForecaster",
    "damped_trend": "DampedTrendForecaster",
    "pretrained": "PretrainedForecaster",
    "tabular": "TabularForecaster",
}
#: Models that have no file of their own: scikit-learn regressors are kept by joblib only.
UNSAVED = ("tabular",)
#: Forecasters made of others: `ensemble` averages a GRU and the linear forecaster.
COMBINED = {"auto": "AutoForecaster", "ensemble": "EnsembleForecaster"}
HEADS = Path(forecastkit.__file__).parent / "networks" / "heads"


def model_names(saved: bool = False) -> tuple[str, ...]:
    """Names of networks, of simple models, then of combined ones; only of those that can be saved to a file."""
    names = (*backbones.names(), *SIMPLE, *COMBINED)
    return tuple(name for name in names if not (saved and name in UNSAVED))


def loss_names() -> tuple[str, ...]:
    """Losses and distributions that networks are trained with, as `forecastkit.networks.heads.LOSSES` has them."""
    found = []
    for file, table in (("points.py", "POINT_LOSSES"), ("distributions.py", "DISTRIBUTIONS")):
        text = (HEADS / file).read_text(encoding="utf-8")
        block = re.search(rf"^{table} = [({{](.*?)[)}}]$", text, flags=re.MULTILINE | re.DOTALL)
        found += re.findall(r'"(\w+)"', block[1])
    return tuple(found)
