"""The forecaster that a command looks at: a saved one, or one made here, and the data it is shown."""

from pathlib import Path

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Plan, make_plan
from forecastkit.cli.console import Report
from forecastkit.cli.describe_data import say_data
from forecastkit.cli.flags import ROLES
from forecastkit.cli.quiet_import import hushed
from forecastkit.cli.read_data import Data, read_data, read_like
from forecastkit.persistence.artifact import load
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


def check_subject(command: str, artifact: Path | None, model: str | None, parameters: dict) -> None:
    """Refuse both or none of a model file and a model's name, and parameters for a model that has its own."""
    if (artifact is None) == (model is None):
        rule = "either a model file or --model must be given"
        refuse(command, rule, "none" if model is None else "both", error=ParameterError)
    if artifact is not None and parameters:
        flag = f"--{next(iter(parameters))}".replace("_", "-")
        remedy = "Leave it out, or fit anew with --model."
        refuse(command, "a saved model keeps its parameters", flag, remedy, ParameterError)


def saved(artifact: Path, csv: Path):
    """A saved forecaster, and the table as the X and y that it takes."""
    with hushed():
        forecaster = load(artifact)
    frame, schema = read_like(csv, forecaster.schema_), forecaster.schema_
    return forecaster, frame, frame[list(schema.target)] if schema.supervised else None


def fresh(report: Report, csv: Path, model: str, parameters: dict) -> tuple[object, Data, Plan]:
    """A forecaster that is not fitted, its data and plan, all said on the way."""
    models.check_model(model)
    data = read_data(csv, {name: parameters[name] for name in parameters if name in ROLES})
    say_data(report, data)
    plan = make_plan(data, parameters)
    chosen = {"horizon": plan.horizon, "lookback": plan.lookback, "validation_size": plan.validation}
    seed = {"random_state": 0} if models.is_network(model) else {}
    with hushed():
        forecaster = models.make_forecaster(model, {**seed, **parameters, **data.keys, **chosen})
    report.line("chosen", f"{model}, horizon {plan.horizon}, lookback {plan.lookback}")
    return forecaster, data, plan


def position(start: str | None):
    """A start as given on the command line: a number is a position."""
    return int(start) if start is not None and start.lstrip("-").isdigit() else start
