"""Make the pictures of the documentation from bundled data: ``python docs/make_images.py``."""

from pathlib import Path

import forecastkit as fk

IMAGES = Path(__file__).parent / "images"


def main() -> None:
    """Write forecast.png, backtest.png, comparison.png and attribution.png."""
    IMAGES.mkdir(exist_ok=True)
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


if __name__ == "__main__":
    main()
