"""``forecast future``: writes the rows to forecast, to be filled with future covariates."""

import sys

from forecastkit.cli.console import Reporter
from forecastkit.cli.files import check_outputs, input_files, write_csv
from forecastkit.cli.options import FutureOptions
from forecastkit.cli.read_data import read_like
from forecastkit.cli.silence import silenced_imports
from forecastkit.persistence.artifact import load


def future(options: FutureOptions) -> None:
    """Write the keys of the next rows of every series, with empty future covariates."""
    report = Reporter(options.quiet)
    inputs = input_files([] if options.history is None else [options.history], options.model)
    check_outputs({"--out": options.out}, inputs, options.overwrite)
    with silenced_imports():
        forecaster = load(options.model)
    schema, history = forecaster.schema_, None
    if options.history is not None:
        history = read_like(options.history, schema)
        history = (history, history[list(schema.target)]) if schema.supervised else history
    rows = forecaster.future_frame(options.steps, history=history)
    if schema.time_name not in rows:  # it is in the index
        rows = rows.rename_axis(index={None: schema.time_name}).reset_index()
    if options.out is None:
        rows.to_csv(sys.stdout, index=False)
        return
    write_csv(rows, options.out)
    known = ", ".join(map(str, schema.known))
    then = f"fill {known}, then " if known else "no known covariates to fill: "
    report.info("saved", f"{options.out}      next: {then}forecast predict {options.model} --future {options.out}")
