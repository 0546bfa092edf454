"""The options of every command as a dataclass: names, defaults and help texts. Light."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from forecastkit.cli.flags import option, parse_count, parse_count_from_zero, parse_path, path_option
from forecastkit.cli.model_names import model_names

SAVED_MODELS = f"Model: {', '.join(model_names(saved=True))}."
ALL_MODELS = f"Fit this model instead of reading a file: {', '.join(model_names())}."

Tables = Annotated[
    list[Path],
    path_option("Table to read: csv, csv.gz or parquet. Also 'data/*.csv', a folder, or repeated.", "--csv", "--data"),
]
Model = Annotated[str, typer.Option(help=SAVED_MODELS, metavar="NAME")]
NewModel = Annotated[str | None, option(ALL_MODELS, metavar="NAME")]
Settings = Annotated[
    list[str] | None,
    option("Any other parameter of the model, such as units=128. May be repeated.", "--set", metavar="NAME=VALUE"),
]
ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="File written by train.", show_default=False, parser=parse_path)
]
OptionalModelFile = Annotated[
    Path | None, typer.Argument(metavar="MODEL", help="File written by train.", show_default=False, parser=parse_path)
]
ModelOut = Annotated[Path | None, path_option("File to write the model to. Default: model.forecast.")]
TestSize = Annotated[
    str | None, option("Last rows held out for the test: a number (24) or a fraction (0.1).", metavar="SIZE")
]
Refit = Annotated[
    bool,
    typer.Option(
        "--refit/--no-refit",
        help="After the test, fit the saved model on all rows, the test rows included; "
        "with --no-refit it is the one that was tested.",
    ),
]
Start = Annotated[str | None, option("First row to forecast: a timestamp or a row number.", metavar="TIME")]
Plot = Annotated[Path | None, path_option("Save a plot to this file: .png, .pdf or .svg.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing output files.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")]


def count(help: str, *names: str):
    """Return an option that takes a whole number from 1 on."""
    return option(help, *names, metavar="N", parser=parse_count)


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Options of ``forecast train``."""

    csv: Tables
    model: Annotated[
        str | None, option(f"{SAVED_MODELS} Default: auto, or gru if a parameter of networks is given.", metavar="NAME")
    ] = None
    out: ModelOut = None
    parameters: dict
    settings: Settings = None
    test_size: TestSize = None
    budget: Annotated[str | None, option("Time limit of --model auto: 90s, 15m, 1h. Default: 90s.", metavar="TIME")] = (
        None
    )
    report: Annotated[Path | None, path_option("Write an HTML page on the model to this file.")] = None
    refit: Refit = True
    overwrite: Overwrite = False
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Options of ``forecast predict``."""

    model: ModelFile
    history: Annotated[Path | None, path_option("Table to forecast from: newer rows, or other series.")] = None
    future: Annotated[Path | None, path_option("Table of the rows to forecast, with their known covariates.")] = None
    out: Annotated[Path | None, path_option("Write the forecasts to this file as csv.")] = None
    plot: Plot = None
    coverage: Annotated[
        float | None, option("Add the central prediction interval of this coverage, such as 0.8.", metavar="P")
    ] = None
    quantile_levels: Annotated[
        str | None, option("Add these quantiles, comma-separated, such as 0.1,0.5,0.9.", metavar="LEVELS")
    ] = None
    overwrite: Overwrite = False
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class FutureOptions:
    """Options of ``forecast future``."""

    model: ModelFile
    history: Annotated[Path | None, path_option("Table that the rows follow: newer rows, or other series.")] = None
    steps: Annotated[int | None, count("Rows of each series. Default: the horizon.")] = None
    out: Annotated[Path | None, path_option("Write the rows to this file as csv. Default: print them.")] = None
    overwrite: Overwrite = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Options of ``forecast export``."""

    model: ModelFile
    format: Annotated[str, typer.Option(help="Format of the graph.", metavar="onnx|saved_model|litert")] = "onnx"
    out: Annotated[Path | None, path_option("Write the graph to this file; for saved_model, a folder.")] = None
    quantile_levels: Annotated[
        str | None, option("Levels of the quantiles, comma-separated. Default: those of predict.", metavar="LEVELS")
    ] = None
    overwrite: Overwrite = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class UpdateOptions:
    """Options of ``forecast update``."""

    model: ModelFile
    csv: Tables
    train: Annotated[bool, typer.Option("--train", help="Train on the rows too, with scaling and sizes unchanged.")] = (
        False
    )
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class MonitorOptions:
    """Options of ``forecast monitor``."""

    model: ModelFile
    csv: Tables
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class BacktestOptions:
    """Options of ``forecast backtest``."""

    artifact: OptionalModelFile = None
    csv: Tables
    model: NewModel = None
    parameters: dict
    settings: Settings = None
    start: Start = None
    n_windows: Annotated[int | None, count("Number of cutoffs, counted back from the end.")] = None
    stride: Annotated[int | None, count("Rows between cutoffs. Default: such that there are about 200.")] = None
    gap: Annotated[
        int,
        typer.Option(help="Rows between the cutoff and the first forecast.", metavar="N", parser=parse_count_from_zero),
    ] = 0
    refit: Annotated[bool, typer.Option("--refit", help="Fit again at every cutoff.")] = False
    refit_every: Annotated[int | None, count("Fit again at every k-th cutoff.")] = None
    max_train_size: Annotated[
        int | None, count("Largest number of rows before the cutoff used in a fit. Default: all.")
    ] = None
    resume: Annotated[
        Path | None, path_option("Save every finished fit in this file; the same command continues from it.")
    ] = None
    out: Annotated[Path | None, path_option("Write all forecasts and actuals to this file as csv.")] = None
    plot: Plot = None
    overwrite: Overwrite = False
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Options of ``forecast report``."""

    artifact: OptionalModelFile = None
    csv: Tables
    model: NewModel = None
    parameters: dict
    settings: Settings = None
    n_windows: Annotated[int | None, count("Number of cutoffs of the backtest, counted back from the end.")] = None
    stride: Annotated[int | None, count("Rows between cutoffs. Default: such that there are about 30.")] = None
    out: Annotated[Path | None, path_option("Write the page to this file. Default: report.html.")] = None
    overwrite: Overwrite = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """Options of ``forecast audit``."""

    artifact: OptionalModelFile = None
    csv: Tables
    model: NewModel = None
    parameters: dict
    settings: Settings = None
    start: Start = None
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Options of ``forecast compare``."""

    csv: Tables
    models: Annotated[
        str,
        typer.Option(
            help="Models to compare, comma-separated, or all for every network. The baselines are always included.",
            metavar="NAMES",
        ),
    ] = "gru,lstm,transformer,lstm_transformer"
    seeds: Annotated[
        int,
        typer.Option(help="Number of random seeds, each with a fit of every network.", metavar="N", parser=parse_count),
    ] = 3
    folds: Annotated[int | None, count("Number of test blocks at the end of the table, each with separate fits.")] = (
        None
    )
    windows: Annotated[int | None, count("Number of cutoffs in each fold. Default: chosen by the number of rows.")] = (
        None
    )
    stride: Annotated[int | None, count("Rows between cutoffs. Default: chosen by the number of rows.")] = None
    metric: Annotated[
        str | None, option("Rank by mase, mae or mse. Default: mase where it is defined.", metavar="NAME")
    ] = None
    budget: Annotated[
        str, typer.Option(help="Time limit of the whole comparison: 90s, 10m, 1h or none.", metavar="TIME")
    ] = "10m"
    memory: Annotated[bool, typer.Option("--memory/--no-memory", help="Measure peak memory in separate processes.")] = (
        True
    )
    lookbacks: Annotated[
        str | None,
        option("Also measure time at these lookbacks, comma-separated, such as 96,192,384.", metavar="NUMBERS"),
    ] = None
    parameters: dict
    settings: Settings = None
    out: Annotated[
        Path | None,
        path_option(
            "Write the results to this file as JSON. Finished runs are saved beside it (those of results.json in "
            "results.jsonl), and the same command continues from them."
        ),
    ] = None
    csv_out: Annotated[Path | None, path_option("Write the table of results to this file as csv.")] = None
    plot: Plot = None
    overwrite: Overwrite = False
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class RecommendOptions:
    """Options of ``forecast recommend``."""

    csv: Tables
    budget: Annotated[str, typer.Option(help="Time limit: 90s, 10m, 1h.", metavar="TIME")] = "2m"
    parameters: dict
    settings: Settings = None
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """Options of ``forecast tune``."""

    csv: Tables
    model: Model = "gru"
    trials: Annotated[int | None, count("Maximum number of trials. Default: as many as --budget allows.")] = None
    budget: Annotated[
        str | None,
        option("Time limit: 90s, 20m, 1h or none. Default: 10m, or none where --trials is given.", metavar="TIME"),
    ] = None
    space: Annotated[
        list[str] | None,
        option(
            "Values to search: units=32,64 or learning_rate=1e-4..1e-2,log. May be repeated.", metavar="NAME=VALUES"
        ),
    ] = None
    search: Annotated[
        str, typer.Option(help="Search algorithm: local, random, bayesian or hyperband.", metavar="NAME")
    ] = "local"
    folds: Annotated[
        int | None,
        count(
            "Validation blocks at the end of the training rows. Default: 3 where rows suffice.", "--folds", "--n-folds"
        ),
    ] = None
    jobs: Annotated[
        int, typer.Option(help="Number of trials that run at the same time.", metavar="N", parser=parse_count)
    ] = 1
    directory: Annotated[
        Path | None,
        path_option("Save finished trials in this folder; the same command continues from them.", metavar="FOLDER"),
    ] = None
    out: ModelOut = None
    parameters: dict
    settings: Settings = None
    test_size: TestSize = None
    refit: Refit = True
    overwrite: Overwrite = False
    json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class InspectOptions:
    """Options of ``forecast inspect``."""

    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A model or a table.", show_default=False, parser=parse_path)
    ]
    parameters: dict
    json: Json = False


@dataclass(frozen=True, kw_only=True)
class DatasetsOptions:
    """Options of ``forecast datasets``."""

    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Name of a data set.", show_default=False)] = None
    out: Annotated[Path | None, path_option("Copy the data set to this file.")] = None
    overwrite: Overwrite = False
    json: Json = False


@dataclass(frozen=True, kw_only=True)
class DoctorOptions:
    """Options of ``forecast doctor``."""

    distribute: Annotated[
        str | None, option("Test this distribution strategy: auto, mirrored or multiworker.", metavar="NAME")
    ] = None
    precision: Annotated[
        str | None, option("Test this precision: mixed_bfloat16 or mixed_float16.", metavar="NAME")
    ] = None
    timeout: Annotated[float, typer.Option(help="Seconds after which the test run is stopped.", metavar="SECONDS")] = 60
    run: Annotated[bool, typer.Option("--run/--no-run", help="Train two steps in a separate process.")] = True
    json: Json = False
