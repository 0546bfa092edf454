"""Forecaster and data of commands that accept a saved model or the name of a new one."""

from pathlib import Path

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Sizes, choose_sizes
from forecastkit.cli.console import Reporter
from forecastkit.cli.describe_data import print_data
from forecastkit.cli.read_data import Data, Sources, read_data, read_like
from forecastkit.cli.silence import silenced_imports
from forecastkit.persistence.artifact import load
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


def check_model_source(command: str, artifact: Path | None, model: str | None, parameters: dict) -> None:
    """Refuse both or neither of a model file and a model name, and parameters with a saved model."""
    if (artifact is None) == (model is None):
        rule = "either a model file or --model must be given"
        refuse(command, rule, "none" if model is None else "both", error=ParameterError)
    if artifact is not None and parameters:
        flag = f"--{next(iter(parameters))}".replace("_", "-")
        remedy = "Leave it out, or fit a new model with --model."
        refuse(command, "a saved model keeps its parameters", flag, remedy, ParameterError)


def load_with_data(artifact: Path, sources: Sources) -> tuple:
    """Return a saved forecaster, and the table as its X and y."""
    with silenced_imports():
        forecaster = load(artifact)
    frame, schema = read_like(sources, forecaster.schema_), forecaster.schema_
    return forecaster, frame, frame[list(schema.target)] if schema.supervised else None


def make_with_data(report: Reporter, sources: Sources, model: str, parameters: dict) -> tuple[object, Data, Sizes]:
    """Return an unfitted forecaster, its data and sizes, and print them."""
    models.check_model(model)
    data = read_data(sources, parameters)
    print_data(report, data)
    sizes = choose_sizes(data, parameters)
    forecaster = make_for_data(model, parameters, data, sizes)
    report.info("settings", f"{model}, horizon {sizes.horizon}")
    return forecaster, data, sizes


def make_for_data(model: str, parameters: dict, data: Data, sizes: Sizes):
    """Return an unfitted forecaster with given, detected and chosen parameters."""
    seed = {"random_state": 0} if models.is_network(model) else {}
    with silenced_imports():
        return models.make_forecaster(model, {**seed, **parameters, **data.role_parameters, **sizes.parameters})


def parse_start(start: str | None) -> str | int | None:
    """Parse a start of the command line; an integer is a position."""
    try:
        return int(start)
    except (TypeError, ValueError):
        return start
