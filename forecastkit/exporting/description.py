"""JSON description of an exported graph: its inputs and outputs."""

from typing import Any

from forecastkit.exporting.constants import Constants

#: Descriptions of calendar features by the prefix of their names.
CALENDAR = {
    "day_": "sine or cosine of 2 pi times the fraction of the day that has passed",
    "week_": "sine or cosine of 2 pi times (weekday + fraction of the day) / 7, with Monday as weekday 0",
    "weekend": "1 on Saturdays and Sundays, else 0",
    "year_": "sine or cosine of 2 pi times the day of the year / 365.25",
    "fourier:": "fourier:SEASON:K:WAVE is the sine or cosine of 2 pi K n / SEASON, for the step number n of the grid",
    "holiday:": "holiday:COUNTRY:DAYS is 1 where the day so many days later is a holiday of the country, else 0",
}


#: What the quantiles of residuals of a network leave out, and how the pre-trained forecaster reads short series.
LOCAL = "Quantiles from residuals keep the width that they have at the export; predict scales it by the latest rows."
PADDED = "A series that is shorter than the window has NaN before its first value."


def describe_export(forecaster, constants: Constants, inputs: dict, version: str) -> dict[str, Any]:
    """Return the description of the inputs and outputs of the graph, which can be written as JSON."""
    schema, panel = forecaster.schema_, forecaster.history_
    several = [] if panel.channels == 1 else [panel.channels]
    outputs = {"forecast": {"shape": ["batch", forecaster.horizon_, *several]}}
    if constants.levels:
        shape = ["batch", forecaster.horizon_, *several, len(constants.levels)]
        outputs["quantiles"] = {"shape": shape, "levels": list(constants.levels)}
    more = LOCAL if hasattr(forecaster, "network_") else PADDED
    declared = {}
    for name, (shape, dtype) in inputs.items():
        declared[name] = {"shape": ["batch", *shape], "type": dtype, **_meaning(name, forecaster)}
    return {
        "kind": "forecastkit export",
        "forecastkit": version,
        "class": type(forecaster).__name__,
        "targets": [str(name) for name in schema.target],
        "freq": panel.grid.name,
        "lookback": inputs["target"][0][0],
        "horizon": forecaster.horizon_,
        "inputs": declared,
        "outputs": outputs,
        "note": f"All values are in the units of the data at fit. Windows lie within a series; NaN is missing. {more}",
    }


def _meaning(name: str, forecaster) -> dict[str, Any]:
    schema, ids = forecaster.schema_, forecaster.history_.ids
    if name == "target":
        return {
            "meaning": "the last `lookback` values of the targets, the newest last",
            "columns": _texts(schema.target),
        }
    if name == "series":
        return {"meaning": "the index of the series in this list, from 0", "series": _texts(ids)}
    if name == "calendar":
        columns = forecaster.scaler_.calendar
        used = {start: text for start, text in CALENDAR.items() if any(column.startswith(start) for column in columns)}
        return {"meaning": "calendar features of the window and the horizon", "columns": [*columns], "features": used}
    role = name.removesuffix("_codes")
    when = {"past": "of the window", "known": "of the window and the horizon", "static": "of the series"}[role]
    names = [column for column in getattr(schema, role) if (column in schema.coded) == name.endswith("_codes")]
    if name.endswith("_codes"):
        levels = {str(column): _texts(schema.categories[column]) for column in names}
        return {
            "meaning": f"categories {when}: the position of the level in its list, from 1; 0 if unknown",
            "levels": levels,
        }
    columns = []
    for column in names:
        levels = schema.categories.get(column)
        columns += [str(column)] if levels is None else [f"{column}={level}" for level in levels]
    return {"meaning": f"covariates {when}; name=level is 1 for rows of this level, else 0", "columns": columns}


def _texts(names) -> list[str]:
    return [str(name) for name in names]
