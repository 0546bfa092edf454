"""The command line `forecast`: its commands and flags. What a command needs is imported when it runs."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from forecastkit.cli.flags import PARAMETERS, ROLES, takes

app = typer.Typer(
    name="forecast",
    help="Train forecasting networks on a table of numbers, and forecast with them.",
    epilog="Start with: forecast train --csv FILE. Exit codes: 0 done, 1 data or model refused, 2 wrong usage, "
    "130 stopped by Ctrl-C.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

CSV_FLAG = typer.Option("--csv", "--data", help="Table to read: csv, csv.gz, parquet.", show_default=False)
Csv = Annotated[Path, CSV_FLAG]
Model = Annotated[
    str, typer.Option(help="A network (gru, lstm, transformer, ...), naive, seasonal_naive, drift, mean, linear, ensemble.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other parameter, such as units=128.", show_default=False),
]
Artifact = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that train wrote.", show_default=False)]
Plot = Annotated[Path | None, typer.Option(help="Draw a picture: .png, .pdf or .svg.", show_default=False)]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object; lines for people go to stderr.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")]


@app.callback(invoke_without_command=True)
def forecast(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
):
    if version:
        from forecastkit import __version__

        print(f"forecastkit {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
@takes(PARAMETERS)
def train(
    *,
    csv: Csv,
    model: Model = "gru",
    out: Annotated[Path | None, typer.Option(help="Where to write the model. Default: model.forecast.", show_default=False)] = None,
    parameters,
    settings: Settings = None,
    test_size: Annotated[str | None, typer.Option(help="Last rows (24), or part of them (0.1), to test on.", show_default=False)] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Train again on all rows after the test.")] = False,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
):
    """Train a network on a table and write it to a file.

    Finds the time, the series and what to forecast; tests the network on the last rows, beside the linear and the
    seasonal naive forecast; then takes all rows as its history. Ctrl-C stops early: the best weights so far are kept
    if --out was given.

    \b
        forecast train --csv sales.csv
        forecast train --csv load.csv --target load --known temp,holiday --horizon 48 --model lstm --set units=64
    """
    from forecastkit.cli.train import train

    train(csv, model, out, parameters, settings or [], test_size, refit, overwrite, json, quiet)


@app.command()
def predict(
    *,
    model: Artifact,
    history: Annotated[Path | None, typer.Option(help="Newer or other rows to forecast from.", show_default=False)] = None,
    future: Annotated[Path | None, typer.Option(help="Rows to forecast with their known columns.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="Write the forecast as csv.", show_default=False)] = None,
    plot: Plot = None,
    coverage: Annotated[float | None, typer.Option(help="Give the range that holds this part, such as 0.8.", show_default=False)] = None,
    quantile_levels: Annotated[str | None, typer.Option(help="Give these quantiles, such as 0.1,0.5,0.9.", show_default=False)] = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
):
    """Forecast the steps after the history of a model.

    The history is that of the training file unless --history gives another. Rows at its end with blank targets and
    filled known columns are the future; --future gives them as a file of their own.

    \b
        forecast predict model.forecast --out forecast.csv --plot forecast.png
        forecast predict model.forecast --history newer.csv --coverage 0.8
    """
    from forecastkit.cli.predict import predict

    predict(model, history, future, out, plot, coverage, quantile_levels, overwrite, json, quiet)


@app.command()
@takes(PARAMETERS)
def backtest(
    *,
    artifact: Annotated[Path | None, typer.Argument(metavar="[MODEL]", help="A file that train wrote.", show_default=False)] = None,
    csv: Csv,
    model: Annotated[str | None, typer.Option(help="Fit this model instead of reading one.", show_default=False)] = None,
    parameters,
    settings: Settings = None,
    start: Annotated[str | None, typer.Option(help="First row forecast: a time, or a position.", show_default=False)] = None,
    n_windows: Annotated[int | None, typer.Option(help="Number of forecasts, counted from the end.", min=1, show_default=False)] = None,
    stride: Annotated[int | None, typer.Option(help="Rows between forecasts. Default: some 200 forecasts.", min=1, show_default=False)] = None,
    gap: Annotated[int, typer.Option(help="Rows between what is known and what is forecast.", min=0)] = 0,
    refit: Annotated[bool, typer.Option("--refit", help="Fit again before every forecast.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write all forecasts and what came as csv.", show_default=False)] = None,
    plot: Plot = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
):
    """Forecast from many places of the past and score it against the seasonal naive forecast.

    A model file is tested on rows after those it was trained on; --model fits one on the rows before the first
    forecast.

    \b
        forecast backtest model.forecast --csv newer.csv
        forecast backtest --csv sales.csv --model linear --horizon 12 --n-windows 24 --plot backtest.png
    """
    from forecastkit.cli.backtest import Windows, backtest

    windows = Windows(start, n_windows, stride, gap, refit)
    backtest(artifact, csv, model, parameters, settings or [], windows, out, plot, overwrite, json, quiet)


@app.command()
@takes(ROLES)
def inspect(
    *,
    file: Annotated[Path, typer.Argument(help="A model or a table.", show_default=False)],
    parameters,
    json: Json = False,
):
    """Say what is in a model, or what would be found in a table.

    \b
        forecast inspect model.forecast
        forecast inspect sales.csv
    """
    from forecastkit.cli.inspect import inspect

    inspect(file, parameters, json)


@app.command()
def datasets(
    *,
    name: Annotated[str | None, typer.Argument(help="One of them.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="Copy it there.", show_default=False)] = None,
    overwrite: Overwrite = False,
    json: Json = False,
):
    """List the data sets that come along, or copy one.

    \b
        forecast datasets
        forecast datasets airpassengers --out air.csv
    """
    from forecastkit.cli.datasets import datasets

    datasets(name, out, overwrite, json)


def main(args: list[str] | None = None) -> int:
    """Run a command; data and models that break a rule are refused in one sentence.

    Parameters
    ----------
    args : list of str, optional
        Instead of those of the process.

    Returns
    -------
    int
        0 done, 1 data or model refused, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app(args, prog_name="forecast")
    except SystemExit as end:
        return int(end.code or 0)
    except ValueError as error:
        from forecastkit.checks import InputError, ParameterError
        from forecastkit.report import Report

        if not isinstance(error, InputError):
            raise
        Report().error(as_flags(str(error)))
        return 2 if isinstance(error, ParameterError) else 1
    return 0


def as_flags(sentence: str) -> str:
    """A sentence about parameters as one about flags: ``series_id=`` is ``--series-id`` here."""
    names = "|".join([*PARAMETERS, "history", "start"])
    return re.sub(
        rf"\b({names})=(?=(\w?))", lambda found: "--" + found[1].replace("_", "-") + " " * bool(found[2]), sentence
    )
