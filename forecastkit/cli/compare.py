"""``forecast compare``: networks and baselines on one table, with a verdict for each."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from forecastkit.cli import models as registry
from forecastkit.cli.choose_sizes import make_plan
from forecastkit.cli.console import Report
from forecastkit.cli.describe_data import data_dict, say_data
from forecastkit.cli.flags import ROLES
from forecastkit.cli.output_files import check_output, check_picture
from forecastkit.cli.quiet_import import hushed
from forecastkit.cli.read_data import Data, about, read_data
from forecastkit.cli.train import STOPPED, told
from forecastkit.comparison.results import Comparison
from forecastkit.evaluation.folds import Sizes
from forecastkit.evaluation.time_budget import Budget, seconds_of
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


@dataclass(frozen=True)
class Outputs:
    """Files to write."""

    out: Path | None
    csv: Path | None
    plot: Path | None
    overwrite: bool

    @property
    def run_log(self) -> Path | None:
        """Where finished runs are kept: beside the result."""
        return None if self.out is None else self.out.with_name(f"{self.out.name}l")

    def check(self) -> None:
        """Refuse paths that will not do; a result whose runs lie beside it is one to go on with."""
        if self.out is not None and self.overwrite:
            self.run_log.unlink(missing_ok=True)
        goes_on = self.run_log is not None and self.run_log.exists()
        check_output(self.out, self.overwrite or goes_on)
        check_output(self.csv, self.overwrite or goes_on)
        check_picture(self.plot, self.overwrite or goes_on)

    def write(self, comparison: Comparison) -> list[Path]:
        """Write what is asked for; the files written."""
        for path, write in (
            (self.out, comparison.to_json),
            (self.csv, comparison.to_csv),
            (self.plot, comparison.plot),
        ):
            if path is not None:
                write(path)
        return [path for path in (self.out, self.csv, self.plot) if path is not None]


def compare(csv, models, choices, budget, memory, lookbacks, parameters, settings, outputs: Outputs, json, quiet):
    """Read, choose sizes, run, say, write."""
    report, begun = Report(quiet, json), Budget(seconds_of(_budget(budget), "--budget"))
    outputs.check()
    names = _names(models)
    parameters = registry.read_flags(parameters, settings)
    options = {**choices, "budget": begun, "memory": memory, "lookbacks": _lookbacks(lookbacks)}
    data = read_data(csv, {name: parameters[name] for name in parameters if name in ROLES})
    say_data(report, data)
    parameters = complete(data, parameters, choices)
    report.line("chosen", f"horizon {parameters['horizon']}, lookback {parameters['lookback']}")
    with told(report), about(csv), stops(report, outputs.run_log):
        comparison = run(report, names, data, parameters, {**options, "path": outputs.run_log})
    say(report, comparison)
    for path in outputs.write(comparison):
        report.line("saved", str(path))
    report.result({**data_dict(data), **comparison.to_dict()})


def run(report: Report, names, data: Data, parameters: dict, options: dict) -> Comparison:
    """The comparison, with a line of progress."""
    from forecastkit.comparison.comparison import compare

    load_backend(names)
    with report.live("runs", "starting") as show:
        return compare(names, data.frame, **parameters, **options, progress=lambda text: show("runs", text))


def load_backend(names) -> None:
    """Import what networks need, quietly, if any is named."""
    if names == "all" or any(registry.is_network(name) for name in names):
        with hushed():
            registry.forecaster_class("gru")


def complete(data: Data, parameters: dict, choices: dict) -> dict:
    """The parameters with what was found and the usual sizes, so that they fit the rows before the first fold."""
    rows = int(data.lengths.max())
    horizon = make_plan(data, parameters).horizon
    series = len(data.panel.ids) * data.panel.channels
    wanted = {name: choices.get(name) for name in ("folds", "n_windows", "stride")}
    tested = Sizes.suited(rows, series, horizon, **wanted).rows
    plan = make_plan(data, parameters, min(max(tested, horizon), rows - horizon - 2))
    keys = {name: value for name, value in data.keys.items() if value is not None}
    sizes = {"horizon": plan.horizon, "lookback": plan.lookback, "validation_size": plan.validation}
    return {**parameters, **keys, **sizes}


def say(report: Report, comparison: Comparison) -> None:
    """The table, how it came about, and what should not be overlooked."""
    header, rows = comparison.cells()
    report.line("tested", f"{comparison.summary()}, first cutoff {comparison.settings['first_cutoffs'][0]}")
    report.table("model", header, rows, strong=0)
    if comparison.growth is not None:
        _say_growth(report, comparison)
    for note in comparison.notes:
        report.line("note", note, "yellow")


def _say_growth(report, comparison):
    table = comparison.growth.reset_index()
    rows = [
        [f"{row.model}", f"{row.lookback:,.0f}", f"{row.epoch_seconds:.2f}", f"{row.one_ms:.1f}", f"{row.many_ms:.1f}"]
        for row in table.itertuples()
    ]
    report.table("growth", ["lookback", "epoch s", "one ms", "1,000 ms"], rows)


@contextlib.contextmanager
def stops(report: Report, run_log: Path | None):
    """After Ctrl-C, say what is kept and leave."""
    try:
        yield
    except KeyboardInterrupt:
        kept = f"finished runs are in {run_log}: the same command goes on from there" if run_log else "nothing is kept"
        report.warning(f"stopped: {kept}")
        raise SystemExit(STOPPED) from None


def _names(text: str) -> list[str] | str:
    """Names of models, every one known."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return "all"
    if not names:
        refuse("--models", "must hold at least one model", repr(text), error=ParameterError)
    for name in names:
        registry.check_model(name)
    return list(dict.fromkeys(names))


def _budget(text: str) -> str | None:
    return None if text.strip().lower() == "none" else text


def _lookbacks(text: str | None) -> list[int]:
    try:
        return [int(part) for part in text.split(",")] if text else []
    except ValueError:
        return refuse("--lookbacks", "must be whole numbers, parted by commas", repr(text), error=ParameterError)
