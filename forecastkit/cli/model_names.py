"""Names for ``--model`` and ``--loss``, read from the files of the package without importing them."""

import re
from pathlib import Path

import forecastkit
from forecastkit.networks import backbones

#: Forecasters without a network.
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
#: Models that cannot be saved to a file: scikit-learn regressors are saved by joblib only.
UNSAVED = ("tabular",)
#: Combined forecasters: `ensemble` averages a GRU and the linear forecaster.
COMBINED = {"auto": "AutoForecaster", "ensemble": "EnsembleForecaster"}
HEADS = Path(forecastkit.__file__).parent / "networks" / "heads"


def model_names(saved: bool = False) -> tuple[str, ...]:
    """Return the names of networks, simple models and combined ones; with `saved`, only of those that can be saved."""
    names = (*backbones.names(), *SIMPLE, *COMBINED)
    return tuple(name for name in names if not (saved and name in UNSAVED))


def loss_names() -> tuple[str, ...]:
    """Return the losses and distributions of networks, equal to `forecastkit.networks.heads.LOSSES`."""
    found = []
    for file, table in (("base.py", "POINT_LOSSES"), ("distributions.py", "DISTRIBUTIONS")):
        text = (HEADS / file).read_text(encoding="utf-8")
        block = re.search(rf"^{table} = [({{](.*?)[)}}]$", text, flags=re.MULTILINE | re.DOTALL)
        found += re.findall(r'"(\w+)"', block[1])
    return tuple(found)
