"""The command line `forecast`: its commands and flags. What a command needs is imported when it runs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from forecastkit.cli.flags import COMPARED, KEPT, PARAMETERS, ROLES, as_flags, takes

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


def flag(help: str, *names: str, **options):
    """An option that shows no default."""
    return typer.Option(*names, help=help, show_default=False, **options)


Csv = Annotated[
    list[Path],
    flag("Table to read: csv, csv.gz, parquet; or several, 'data/*.csv', a folder.", "--csv", "--data", metavar="FILE"),
]
Model = Annotated[
    str,
    typer.Option(
        help="A network (gru, lstm, transformer, ...), auto, ensemble, pretrained, linear, theta, damped_trend, "
        "seasonal_naive, naive, drift, mean."
    ),
]
Settings = Annotated[
    list[str] | None,
    flag("Any other parameter, such as units=128.", "--set", metavar="NAME=VALUE"),
]
Artifact = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that train wrote.", show_default=False)]
MaybeArtifact = Annotated[
    Path | None, typer.Argument(metavar="[MODEL]", help="A file that train wrote.", show_default=False)
]
Fresh = Annotated[str | None, flag("Fit this model instead of reading one.")]
Start = Annotated[str | None, flag("First row forecast: a time, or a position.")]
Plot = Annotated[Path | None, flag("Draw a picture: .png, .pdf or .svg.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")]
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
@takes({**PARAMETERS, **KEPT})
def train(
    *,
    csv: Csv,
    model: Model = "gru",
    out: Annotated[Path | None, flag("Where to write the model. Default: model.forecast.")] = None,
    parameters,
    settings: Settings = None,
    test_size: Annotated[str | None, flag("Last rows (24), or part of them (0.1), to test on.")] = None,
    budget: Annotated[str | None, flag("Time for --model auto: 90s, 15m, 1h. Default: 15m.")] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Train again on all rows after the test.")] = False,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
):
    """Train a network on a table and write it to a file.

    Finds the time, the series and what to forecast; tests the network on the last rows, beside the linear and the
    seasonal naive forecast; then takes all rows as its history. Ctrl-C stops early: the best weights so far are kept
    if --out was given. --model auto tries networks and trains an average of the best within --budget.

    \b
        forecast train --csv sales.csv
        forecast train --csv sales.csv --model auto --budget 15m
        forecast train --csv load.csv --target load --known temp,holiday --horizon 48 --model lstm --set units=64
    """
    from forecastkit.cli.train import train

    train(csv, model, out, parameters, settings or [], test_size, budget, refit, overwrite, json, quiet)


@app.command()
def predict(
    *,
    model: Artifact,
    history: Annotated[Path | None, flag("Newer or other rows to forecast from.")] = None,
    future: Annotated[Path | None, flag("Rows to forecast with their known columns.")] = None,
    out: Annotated[Path | None, flag("Write the forecast as csv.")] = None,
    plot: Plot = None,
    coverage: Annotated[float | None, flag("Give the range that holds this part, such as 0.8.")] = None,
    quantile_levels: Annotated[str | None, flag("Give these quantiles, such as 0.1,0.5,0.9.")] = None,
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
    artifact: MaybeArtifact = None,
    csv: Csv,
    model: Fresh = None,
    parameters,
    settings: Settings = None,
    start: Start = None,
    n_windows: Annotated[int | None, flag("Number of forecasts, counted from the end.", min=1)] = None,
    stride: Annotated[int | None, flag("Rows between forecasts. Default: some 200 forecasts.", min=1)] = None,
    gap: Annotated[int, typer.Option(help="Rows between what is known and what is forecast.", min=0)] = 0,
    refit: Annotated[bool, typer.Option("--refit", help="Fit again before every forecast.")] = False,
    refit_every: Annotated[int | None, flag("Fit again before every k-th forecast.", min=1)] = None,
    max_train_size: Annotated[int | None, flag("Last rows that a fit sees. Default: all.", min=1)] = None,
    resume: Annotated[Path | None, flag("File to keep finished fits in, and to go on from.")] = None,
    out: Annotated[Path | None, flag("Write all forecasts and what came as csv.")] = None,
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

    windows = Windows(start, n_windows, stride, gap, refit_every or refit, max_train_size, resume)
    backtest(artifact, csv, model, parameters, settings or [], windows, out, plot, overwrite, json, quiet)


@app.command()
@takes(PARAMETERS)
def audit(
    *,
    artifact: MaybeArtifact = None,
    csv: Csv,
    model: Fresh = None,
    parameters,
    settings: Settings = None,
    start: Start = None,
    json: Json = False,
    quiet: Quiet = False,
):
    """Change everything that comes after a cutoff, and demand that forecasts made at it stay the same, bit for bit.

    A model file is looked at on rows after those it was trained on; --model fits one, about six times. Exits with 1
    where a forecast changes.

    \b
        forecast audit model.forecast --csv newer.csv
        forecast audit --csv sales.csv --model linear
    """
    from forecastkit.cli.audit import audit

    audit(artifact, csv, model, parameters, settings or [], start, json, quiet)


@app.command()
@takes(COMPARED)
def compare(
    *,
    csv: Csv,
    models: Annotated[
        str, typer.Option(help="Models, parted by commas; all for every network. Baselines are always in.")
    ] = "gru,lstm,transformer,lstm_transformer",
    seeds: Annotated[int, typer.Option(help="Runs of each network with seeds of their own.", min=1)] = 3,
    folds: Annotated[int | None, flag("Blocks of last rows, each with fits of its own. Chosen if not given.")] = None,
    windows: Annotated[int | None, flag("Forecasts of a fold. Chosen if not given.", min=1)] = None,
    stride: Annotated[int | None, flag("Rows between forecasts. Chosen if not given.", min=1)] = None,
    metric: Annotated[str | None, flag("Rank by mase, mae or mse. Default: mase where it exists.")] = None,
    budget: Annotated[str, typer.Option(help="Time for everything: 90s, 10m, 1h, or none for no end.")] = "10m",
    memory: Annotated[
        bool, typer.Option("--memory/--no-memory", help="Measure peak memory in extra processes.")
    ] = True,
    lookbacks: Annotated[str | None, flag("Measure also how seconds grow over these, such as 96,192,384.")] = None,
    parameters,
    settings: Settings = None,
    out: Annotated[Path | None, flag("Write all as JSON; runs are kept beside it, so that it can go on.")] = None,
    csv_out: Annotated[Path | None, flag("Write the table as csv.")] = None,
    plot: Plot = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
):
    """Compare networks on a table, with the same folds, seeds and time, beside the baselines.

    Says accuracy with its standard error and which differences are noise, and what each model costs: weights, seconds,
    memory, latency. Stopped and started again with the same --out, it goes on where it was.

    \b
        forecast compare --csv sales.csv
        forecast compare --csv load.csv --models gru,linear,ensemble --budget 30m --out comparison.json --plot c.png
    """
    from forecastkit.cli.compare import Outputs, compare

    outputs = Outputs(out, csv_out, plot, overwrite)
    choices = {"seeds": seeds, "folds": folds, "n_windows": windows, "stride": stride, "metric": metric}
    compare(csv, models, choices, budget, memory, lookbacks, parameters, settings or [], outputs, json, quiet)


@app.command()
@takes(COMPARED)
def recommend(
    *,
    csv: Csv,
    budget: Annotated[str, typer.Option(help="Time for everything: 90s, 10m, 1h.")] = "2m",
    parameters,
    settings: Settings = None,
    json: Json = False,
    quiet: Quiet = False,
):
    """Choose a model for a table, and say why.

    A rule of thumb from what was measured of the data names one; a quick comparison tests it, and wins where both
    differ.

    \b
        forecast recommend --csv sales.csv
        forecast recommend --csv load.csv --target load --horizon 48 --budget 10m
    """
    from forecastkit.cli.recommend import recommend

    recommend(csv, budget, parameters, settings or [], json, quiet)


@app.command()
@takes(PARAMETERS)
def tune(
    *,
    csv: Csv,
    model: Model = "gru",
    trials: Annotated[int | None, flag("Trials at most. Default: as many as the budget allows.", min=1)] = None,
    budget: Annotated[str | None, flag("Time for everything: 90s, 20m, 1h, none. Default: 10m, or --trials.")] = None,
    space: Annotated[
        list[str] | None, flag("What to search: units=32,64 or learning_rate=1e-4..1e-2,log.", metavar="NAME=VALUES")
    ] = None,
    search: Annotated[str, typer.Option(help="local, random, bayesian or hyperband.")] = "local",
    folds: Annotated[
        int | None,
        flag("Blocks of last rows to judge by. Default: three, if rows allow.", "--folds", "--n-folds", min=1),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Trials at the same time.", min=1)] = 1,
    directory: Annotated[Path | None, flag("Keep finished trials there, so that it can go on.")] = None,
    out: Annotated[Path | None, flag("Where to write the model. Default: model.forecast.")] = None,
    parameters,
    settings: Settings = None,
    test_size: Annotated[str | None, flag("Last rows (24), or part of them (0.1), to test on.")] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Train again on all rows after the test.")] = False,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
):
    """Search for a model's best parameters on a table, test it beside the defaults, and write it to a file.

    Every trial is fitted and judged on rolling folds of the rows before the test; the first one is the model as it is.
    Without --space, what is worth searching for the model is searched. Ctrl-C ends the search, and the best so far is
    tested and written.

    \b
        forecast tune --csv load.csv --budget 20m
        forecast tune --csv load.csv --model lstm --trials 30 --space units=32,64,128 --space lookback=168,336
    """
    from forecastkit.cli.tune import TuneOptions, tune

    wishes = TuneOptions(space or [], search, trials, budget, folds, jobs, directory)
    tune(csv, model, out, parameters, settings or [], wishes, test_size, refit, overwrite, json, quiet)


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
    out: Annotated[Path | None, flag("Copy it there.")] = None,
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


@app.command()
def doctor(
    *,
    distribute: Annotated[str | None, flag("Try this way to share the work: auto, mirrored or multiworker.")] = None,
    precision: Annotated[str | None, flag("Try this precision: mixed_bfloat16 or mixed_float16.")] = None,
    timeout: Annotated[float, flag("Seconds until a dry run that hangs is ended.")] = 60.0,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Train two steps in a process of their own.")] = True,
    json: Json = False,
):
    """Tell what this machine has for training, and what stands in the way.

    Looks at packages, processor, memory, graphics cards and other workers, and trains two steps in a process of their
    own, which is ended where it hangs. Each finding comes with what to do about it. The exit code is 1 where training
    cannot work.

    \b
        forecast doctor
        forecast doctor --distribute multiworker --timeout 120
    """
    from forecastkit.cli.doctor import doctor

    doctor(distribute, precision, timeout, run, json)


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
        from forecastkit.cli.console import Report
        from forecastkit.utils.exceptions import InputError, ParameterError

        if not isinstance(error, InputError):
            raise
        Report().error(as_flags(str(error)))
        return 2 if isinstance(error, ParameterError) else 1
    return 0
