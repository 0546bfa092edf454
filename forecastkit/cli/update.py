"""``forecast update``: newer rows for a saved model."""

from pathlib import Path

from forecastkit.cli.console import Reporter
from forecastkit.cli.load_or_fit import load_with_data
from forecastkit.cli.options import UpdateOptions
from forecastkit.cli.read_data import name_file_in_errors
from forecastkit.utils.file_lock import locked


def update(options: UpdateOptions) -> None:
    """Add the rows to the model's history, train on them if requested, and replace the file."""
    report = Reporter(options.quiet, options.json)
    with report.library_warnings(), locked(options.model, "update"):
        forecaster, X, y = load_with_data(options.model, options.csv)
        before = _cutoffs(forecaster)
        with name_file_in_errors(options.csv):
            replaced = _add(forecaster, X, y, options.train)
        forecaster.save(options.model)
    added = sum(after - before.get(name, after - 1) for name, after in _cutoffs(forecaster).items())
    cutoff = str(forecaster.cutoff_.max() if len(forecaster.history_.ids) > 1 else forecaster.cutoff_)
    report.info("rows", f"{added:,} time steps added, {replaced:,} rows replaced")
    report.info("cutoff", cutoff.removesuffix(" 00:00:00"))
    if options.train:
        report.info("trained", "on the rows of the file and those stored with the model")
    report.info("saved", f"{options.model}      next: forecast predict {options.model}")
    report.result(_result(options.model, int(added), replaced, cutoff, options.train))


def _add(forecaster, X, y, train: bool) -> int:
    """Return the number of rows that were known before."""
    forecaster.partial_fit(X, y) if train else forecaster.update(X, y)
    return int(forecaster.n_replaced_)


def _cutoffs(forecaster) -> dict:
    """Ordinal of the last observed row of each series."""
    panel = forecaster.history_
    return dict(zip(panel.ids, panel.cutoffs().tolist(), strict=True))


def _result(model: Path, added: int, replaced: int, cutoff: str, trained: bool) -> dict:
    return {"model": str(model), "added": added, "replaced": replaced, "cutoff": cutoff, "trained": trained}
