"""Make the pictures of the documentation from bundled data: ``python docs/make_images.py [plots] [report]``.

Those of the report need Chromium.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import forecastkit as fk

IMAGES = Path(__file__).parent / "images"


def plots() -> None:
    """Write forecast.png, backtest.png, comparison.png and attribution.png."""
    data = fk.load_dataset("airpassengers")
    history = data.reset_index().rename(columns={"Passengers": "actual"})
    model = fk.EnsembleForecaster(horizon=24).fit(data)
    fk.plot_forecast(model.forecast(), history, path=IMAGES / "forecast.png")
    levels = [0.1, 0.25, 0.5, 0.75, 0.9]
    tested = fk.backtest(fk.LinearForecaster(horizon=12), data, start="1957-01-01", stride=6, quantile_levels=levels)
    fk.plot_backtest(tested.forecasts, path=IMAGES / "backtest.png")
    compared = fk.compare("linear,drift,gru", data, horizon=12, seeds=2, memory=False)
    fk.plot_comparison(compared, path=IMAGES / "comparison.png")
    network = fk.GRUForecaster(horizon=12, random_state=0).fit(data)
    fk.plot_attribution(fk.interpret(network), step=12, path=IMAGES / "attribution.png")


def report() -> None:
    """Write report.png and report_dark.png as on a screen, and report_phone.png."""
    data = fk.load_dataset("bike_sharing")["cnt"].astype("float64").asfreq("h").loc["2012-05":"2012-09"]
    model = fk.LinearForecaster(horizon=48, lookback=336)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        fk.report(model, data, path=page)
        for name, size, scheme in (("", "1280,1400", 1), ("_dark", "1280,1400", 0), ("_phone", "500,1400", 1)):
            options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={size}"]
            options += [f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={IMAGES}/report{name}.png"]
            subprocess.run(["chromium", *options, page.as_uri()], check=True, capture_output=True)


def main(chosen: list[str]) -> None:
    """Write the chosen pictures, by default all."""
    IMAGES.mkdir(exist_ok=True)
    for make in (plots, report):
        if not chosen or make.__name__ in chosen:
            make()


if __name__ == "__main__":
    main(sys.argv[1:])
