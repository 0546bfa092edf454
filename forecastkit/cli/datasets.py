"""``forecast datasets``: list the bundled data sets, or copy one."""

from forecastkit.cli.console import Reporter
from forecastkit.cli.files import check_outputs, write_bytes
from forecastkit.cli.options import DatasetsOptions
from forecastkit.datasets import dataset_path, list_datasets
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


def datasets(options: DatasetsOptions) -> None:
    """List all, or copy the named one."""
    report = Reporter(json=options.json)
    if options.name is None:
        if options.out is not None:
            refuse("datasets", "--out needs the name of a data set", "none", error=ParameterError)
        _print_list(report)
        return
    source = dataset_path(options.name)
    if options.out is None:
        report.info("file", str(source))
    else:
        check_outputs({"--out": options.out}, [source], options.overwrite)
        write_bytes([source.read_bytes()], options.out)
        report.info("saved", f"{options.out}      next: forecast train --csv {options.out}")
    report.result({"name": options.name, "file": str(options.out or source)})


def _print_list(report: Reporter) -> None:
    found = list_datasets()
    width = max(len(each.name) for each in found)
    for each in found:
        series = f"{each.series} series, " if each.series > 1 else ""
        report.out.print(f"{each.name:<{width}}  {each.title}", soft_wrap=True)
        report.out.print(
            f"{'':<{width}}  {each.rows:,} rows, {series}target {each.target}, licence: {each.licence}", style="dim"
        )
    report.result({"datasets": [vars(each) for each in found]})
