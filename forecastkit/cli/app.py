"""Commands of `forecast` and their help. Dependencies of a command are imported when it runs."""

from typing import Annotated

import typer

from forecastkit.cli import options
from forecastkit.cli.flags import COLUMN_ROLES, COMPARE_PARAMETERS, PARAMETERS, TRAIN_PARAMETERS, command

app = typer.Typer(
    name="forecast",
    help="Train forecasting models on tables of time series, and forecast with them.",
    epilog="Start with: forecast train --csv FILE. Exit codes: 0 done, 1 data or model refused, 2 wrong usage, "
    "130 stopped by Ctrl-C.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback(invoke_without_command=True)
def forecast(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
):
    if version:
        from forecastkit import __version__

        print(f"forecastkit {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@command(app, options.TrainOptions, TRAIN_PARAMETERS)
def train(given: options.TrainOptions) -> None:
    """Train a model on a table, test it, and save it to a file.

    Detects the timestamps, the series and the target; tests the model on the last rows beside the linear and the
    seasonal naive forecast; then fits it on all rows and saves it. Ctrl-C stops early: the best weights so far are
    saved if --out was given. --model auto tries several models and averages the best within --budget.

    \b
        forecast train --csv sales.csv
        forecast train --csv sales.csv --model auto --budget 15m
        forecast train --csv load.csv --target load --known temp,holiday --horizon 48 --model lstm --set units=64
    """
    from forecastkit.cli.train import train

    train(given)


@command(app, options.PredictOptions)
def predict(given: options.PredictOptions) -> None:
    """Forecast with a saved model.

    Forecasts the steps after the last row of the training table, or of --history. Rows at the end of the
    table with covariates but without targets are forecast; --future reads them from a separate file.

    \b
        forecast predict model.forecast --out forecast.csv --plot forecast.png
        forecast predict model.forecast --history newer.csv --coverage 0.8
    """
    from forecastkit.cli.predict import predict

    predict(given)


@command(app, options.FutureOptions)
def future(given: options.FutureOptions) -> None:
    """Write the rows to be forecast, to be filled with known covariates.

    The file has the series and times of the next rows and a blank column for each known covariate. Fill it, and pass it
    to predict as --future.

    \b
        forecast future model.forecast --out rows.csv
        forecast predict model.forecast --future rows.csv
    """
    from forecastkit.cli.future import future

    future(given)


@command(app, options.ExportOptions)
def export(given: options.ExportOptions) -> None:
    """Write the network of a saved model as an ONNX, SavedModel or LiteRT graph.

    The graph takes raw windows and gives forecasts and quantiles in the units of the data. Its inputs are described in
    a JSON file beside it.

    \b
        forecast export model.forecast --out model.onnx
        forecast export model.forecast --format saved_model --out model
    """
    from forecastkit.cli.export import export

    export(given)


@command(app, options.UpdateOptions)
def update(given: options.UpdateOptions) -> None:
    """Add newer rows to a saved model, without training.

    The file is replaced as a whole once everything has succeeded, and locked against a second update meanwhile. Rows
    that the model knows are replaced. --train trains on the newer rows too.

    \b
        forecast update model.forecast --csv newer.csv
        forecast update model.forecast --csv newer.csv --train
    """
    from forecastkit.cli.update import update

    update(given)


@command(app, options.MonitorOptions)
def monitor(given: options.MonitorOptions) -> None:
    """Compare a saved model's forecasts of newer rows with the actuals, and alert if it has become worse.

    Error and coverage of the 80 % interval are compared with those of the validation rows, over windows that do not
    overlap. The exit code is 1 if one of them has drifted.

    \b
        forecast monitor model.forecast --csv newer.csv
    """
    from forecastkit.cli.monitor import monitor

    monitor(given)


@command(app, options.BacktestOptions, PARAMETERS)
def backtest(given: options.BacktestOptions) -> None:
    """Forecast from many past cutoffs and compare with the actuals and the seasonal naive forecast.

    A saved model is tested on rows after those it was fitted on; with --model, one is fitted on the rows
    before the first cutoff.

    \b
        forecast backtest model.forecast --csv newer.csv
        forecast backtest --csv sales.csv --model linear --horizon 12 --n-windows 24 --plot backtest.png
    """
    from forecastkit.cli.backtest import backtest

    backtest(given)


@command(app, options.ReportOptions, PARAMETERS)
def report(given: options.ReportOptions) -> None:
    """Write an HTML page on a model: its forecast, a backtest, its intervals, and the data.

    The page is one file that needs no network. A saved model forecasts as it is; for the backtest a model with the same
    parameters is fitted on the rows before the first cutoff.

    \b
        forecast report model.forecast --csv sales.csv --out report.html
        forecast report --csv sales.csv --model linear --horizon 12 --out report.html
    """
    from forecastkit.cli.report import report

    report(given)


@command(app, options.AuditOptions, PARAMETERS)
def audit(given: options.AuditOptions) -> None:
    """Check a model for look-ahead: change all data after a cutoff, and compare the forecasts made at it bit by bit.

    A saved model is audited on rows after those it was fitted on; with --model, one is fitted about six times. The exit
    code is 1 if a forecast changes.

    \b
        forecast audit model.forecast --csv newer.csv
        forecast audit --csv sales.csv --model linear
    """
    from forecastkit.cli.audit import audit

    audit(given)


@command(app, options.CompareOptions, COMPARE_PARAMETERS)
def compare(given: options.CompareOptions) -> None:
    """Compare models on a table with the same folds, seeds and time limits, beside the baselines.

    Reports the errors with their standard errors, which differences are significant, and the cost of each model:
    weights, time, memory, latency. With --out, the same command continues an interrupted comparison.

    \b
        forecast compare --csv sales.csv
        forecast compare --csv load.csv --models gru,linear,ensemble --budget 30m --out comparison.json --plot c.png
    """
    from forecastkit.cli.compare import compare

    compare(given)


@command(app, options.RecommendOptions, COMPARE_PARAMETERS)
def recommend(given: options.RecommendOptions) -> None:
    """Recommend a model for a table, with the reasons.

    A rule based on the properties of the data suggests a model; a quick comparison tests it and decides where the two
    disagree.

    \b
        forecast recommend --csv sales.csv
        forecast recommend --csv load.csv --target load --horizon 48 --budget 10m
    """
    from forecastkit.cli.recommend import recommend

    recommend(given)


@command(app, options.TuneOptions, PARAMETERS)
def tune(given: options.TuneOptions) -> None:
    """Search for the best hyperparameters of a model, test it beside the defaults, and save it to a file.

    Every trial is fitted and scored on rolling-origin folds of the rows before the test; the first trial is the default
    model. Without --space, a search space suited to the model is used. Ctrl-C ends the search; the best model so far is
    tested and saved.

    \b
        forecast tune --csv load.csv --budget 20m
        forecast tune --csv load.csv --model lstm --trials 30 --space units=32,64,128 --space lookback=168,336
    """
    from forecastkit.cli.tune import tune

    tune(given)


@command(app, options.InspectOptions, COLUMN_ROLES)
def inspect(given: options.InspectOptions) -> None:
    """Describe a saved model, or what is detected in a table.

    \b
        forecast inspect model.forecast
        forecast inspect sales.csv
    """
    from forecastkit.cli.inspect import inspect

    inspect(given)


@command(app, options.DatasetsOptions)
def datasets(given: options.DatasetsOptions) -> None:
    """List the bundled data sets, or copy one.

    \b
        forecast datasets
        forecast datasets airpassengers --out air.csv
    """
    from forecastkit.cli.datasets import datasets

    datasets(given)


@command(app, options.DoctorOptions)
def doctor(given: options.DoctorOptions) -> None:
    """Check whether models can be trained on this machine.

    Examines packages, processor, memory, graphics cards and other workers, and trains two steps in a separate process,
    which is stopped if it hangs. Each problem comes with a remedy. The exit code is 1 if training cannot work.

    \b
        forecast doctor
        forecast doctor --distribute multiworker --timeout 120
    """
    from forecastkit.cli.doctor import doctor

    doctor(given)
