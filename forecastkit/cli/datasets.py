"""``forecast datasets``: list the data that come along, or copy a file of them."""

from pathlib import Path

from forecastkit.cli.console import Report
from forecastkit.cli.output_files import check_output, write_bytes
from forecastkit.datasets import dataset_path, list_datasets
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


def datasets(name: str | None, out: Path | None, overwrite: bool, json: bool) -> None:
    """List all, or copy the named one to `out`."""
    report = Report(json=json)
    if name is None:
        if out is not None:
            refuse("datasets", "--out needs the name of a data set", "none", error=ParameterError)
        _list(report)
        return
    source = dataset_path(name)
    if out is None:
        report.line("file", str(source))
    else:
        check_output(out, overwrite)
        write_bytes(source.read_bytes(), out)
        report.line("saved", f"{out}      next: forecast train --csv {out}")
    report.result({"name": name, "file": str(out or source)})


def _list(report: Report) -> None:
    found = list_datasets()
    width = max(len(one.name) for one in found)
    for one in found:
        series = f"{one.series} series, " if one.series > 1 else ""
        report.out.print(f"{one.name:<{width}}  {one.title}", soft_wrap=True)
        report.out.print(
            f"{'':<{width}}  {one.rows:,} rows, {series}target {one.target}, licence: {one.licence}", style="dim"
        )
    report.result({"datasets": [vars(one) for one in found]})
