"""``forecast monitor``: errors of a saved model on newer rows beside those on its validation rows."""

from forecastkit.cli.console import Reporter
from forecastkit.cli.load_or_fit import load_with_data
from forecastkit.cli.options import MonitorOptions
from forecastkit.cli.read_data import name_file_in_errors
from forecastkit.evaluation.monitoring import MIN_CUTOFFS, Drift, Monitoring
from forecastkit.evaluation.monitoring import monitor as run_monitor
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.formatting import decimals, number, percent

LABELS = {"mae": "MAE", "coverage": "80 % interval holds"}


def monitor(options: MonitorOptions) -> None:
    """Print both measures; drift is an error."""
    report = Reporter(options.quiet, options.json)
    with report.library_warnings(), name_file_in_errors(options.csv):
        forecaster, X, y = load_with_data(options.model, options.csv)
        found = run_monitor(forecaster, X, y)
    _print(report, found)
    report.result({"model": str(options.model), **found.to_dict()})
    if found.drifted:
        parts = [
            f"{LABELS[each.measure]} {_shown(each, each.value)} instead of {_shown(each, each.expected)}"
            for each in found.measures
            if each.drifted
        ]
        raise InputError(
            f"monitor: forecasts must be as good as on the validation rows, got {' and '.join(parts)} over "
            f"{found.cutoffs} cutoffs. Train on the newer rows with forecast update {options.model} --train, or afresh."
        )


def _print(report: Reporter, found: Monitoring) -> None:
    report.info("cutoffs", f"{found.cutoffs:,}, from {_time(found.first)} to {_time(found.last)}")
    rows = [
        (
            LABELS[each.measure],
            _shown(each, each.value),
            _shown(each, each.expected),
            "-" if each.p_value is None else f"{each.p_value:.2g}",
            "drifted" if each.drifted else "ok" if each.p_value is not None else "too few",
        )
        for each in found.measures
    ]
    report.table("monitor", ("newer rows", "expected", "p value", "result"), rows)
    if found.cutoffs < MIN_CUTOFFS:
        report.info("", f"tests need {MIN_CUTOFFS} cutoffs, a horizon apart")


def _shown(drift: Drift, value: float) -> str:
    return percent(value) if drift.measure == "coverage" else number(value, decimals([drift.expected]))


def _time(cutoff: object) -> str:
    return str(cutoff).removesuffix(" 00:00:00")
