"""``forecast export``: a saved network or pre-trained forecaster as a graph for other software."""

from pathlib import Path

from forecastkit.cli.console import Reporter
from forecastkit.cli.files import check_outputs
from forecastkit.cli.options import ExportOptions
from forecastkit.cli.parameters import parse_levels
from forecastkit.cli.silence import silenced_imports
from forecastkit.exporting.export import FORMATS
from forecastkit.exporting.export import export as write_graph
from forecastkit.persistence.artifact import load
from forecastkit.utils.validation import check_levels, refuse

#: Endings of the files by format.
SUFFIXES = {"onnx": ".onnx", "saved_model": "", "litert": ".tflite"}


def export(options: ExportOptions) -> None:
    """Write the graph and its description."""
    report = Reporter(options.quiet)
    if options.format not in FORMATS:
        refuse("export", f"--format must be one of {', '.join(FORMATS)}", repr(options.format))
    levels = options.quantile_levels
    levels = None if levels is None else check_levels("--quantile-levels", parse_levels(levels))
    out = options.out or Path(options.model).with_suffix(SUFFIXES[options.format])
    described = Path(f"{out}.json")
    check_outputs({"--out": out, "the description": described}, [options.model], options.overwrite)
    with silenced_imports():
        forecaster = load(options.model)
        write_graph(forecaster, out, options.format, levels)
    report.info("saved", f"{out}      its inputs and outputs: {described}")
