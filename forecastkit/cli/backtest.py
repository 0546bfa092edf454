"""``forecast backtest``: scores of a model over many forecasts of the past."""

from dataclasses import dataclass
from pathlib import Path

from forecastkit.cli import model_source, models
from forecastkit.cli.compare import stops
from forecastkit.cli.console import Report
from forecastkit.cli.output_files import check_output, check_picture, write_csv
from forecastkit.cli.read_data import about
from forecastkit.cli.train import told
from forecastkit.evaluation.backtesting import Backtest
from forecastkit.evaluation.backtesting import backtest as run_backtest
from forecastkit.evaluation.results import covered_levels
from forecastkit.utils.formatting import decimals, number, ranges, share


@dataclass(frozen=True)
class Windows:
    """Where forecasts start; see `forecastkit.backtest`."""

    start: str | None
    n_windows: int | None
    stride: int | None
    gap: int
    refit: bool | int
    max_train_size: int | None = None
    resume: Path | None = None

    def options(self, stride: int = 1) -> dict:
        """Arguments of `forecastkit.backtest`, a position as a number."""
        return {
            "start": model_source.position(self.start),
            "n_windows": self.n_windows,
            "stride": self.stride or stride,
            "gap": self.gap,
            "refit": self.refit,
            "max_train_size": self.max_train_size,
            "resume": self.resume,
        }


def backtest(artifact, csv, model, parameters, settings, windows: Windows, out, plot, overwrite, json, quiet) -> None:
    """Test a saved model, or fit one, and print, write, draw."""
    report = Report(quiet, json)
    check_output(out, overwrite)
    check_picture(plot, overwrite)
    parameters = models.read_flags(parameters, settings)
    model_source.check_subject("backtest", artifact, model, parameters)
    with told(report), about(csv), stops(report, windows.resume):
        if artifact is not None:
            name, test, schema = _saved(report, artifact, csv, windows)
        else:
            name, test, schema = _fresh(report, csv, model, parameters, windows)
    _say(report, name, test)
    if out is not None:
        write_csv(test.forecasts, out)
    if plot is not None:
        _draw(test, schema, plot)
    for path in filter(None, (out, plot)):
        report.line("saved", str(path))
    scores = test.scores.rename(index={"forecaster": name})
    report.result(
        {
            "model": name,
            "windows": _windows(test),
            "scores": scores.to_dict(orient="index"),
            "coverage": test.ranges(),
        }
    )


def _saved(report: Report, artifact: Path, csv: Path, windows: Windows):
    forecaster, X, y = model_source.saved(artifact, csv)
    return str(artifact), _run(report, forecaster, (X, y), windows.options()), forecaster.schema_


def _fresh(report: Report, csv: Path, model: str, parameters: dict, windows: Windows):
    forecaster, data, plan = model_source.fresh(report, csv, model, parameters)
    options = windows.options(plan.stride)
    if windows.start is None and windows.n_windows is None:
        options["start"] = data.panel.grid.timestamps([plan.test_start])[0]
    return model, _run(report, forecaster, (data.frame,), options), data.schema


def _run(report: Report, forecaster, data: tuple, options: dict) -> Backtest:
    """The backtest, with a line for every refit."""
    options["quantile_levels"] = covered_levels(forecaster)
    if not options["refit"]:
        return run_backtest(forecaster, *data, **options)
    with report.live("refit", "starting") as say:
        return run_backtest(forecaster, *data, **options, verbose=lambda line: say("refit", line))


def _windows(test: Backtest) -> int:
    return int(test.forecasts["cutoff"].nunique())


def _say(report: Report, name: str, test: Backtest) -> None:
    places = decimals(test.scores["mae"])
    rows = [
        (
            shown,
            number(row["mae"], places),
            number(row["rmse"], places),
            number(row.get("mase")),
            share(row.get("coverage_0.8")),
            share(row["skill"]),
        )
        for shown, (_, row) in zip((name, "seasonal naive"), test.scores.iterrows(), strict=True)
    ]
    first, last = (_said(test.forecasts["cutoff"].agg(end)) for end in ("min", "max"))
    report.line("windows", f"{_windows(test):,}, from {first} to {last}")
    report.table("backtest", ("MAE", "RMSE", "MASE", "in 80 % range", "skill"), rows)
    if held := ranges(test.ranges()):
        report.line("ranges", held)


def _said(cutoff) -> str:
    return str(cutoff).removesuffix(" 00:00:00")


def _draw(test: Backtest, schema, path: Path) -> None:
    from forecastkit.plotting.forecasts import plot_backtest

    plot_backtest(test.forecasts, time=schema.time_name, series_id=schema.series_id, path=path)
