"""Choice of the target columns by their names and cells."""

import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.column_kinds import is_target_name, odd_cells
from forecastkit.data.files.datetimes import show_cells
from forecastkit.utils.validation import first_few, refuse


def constant_columns(free: pd.DataFrame, numeric: list[str]) -> list[str]:
    """Return numeric columns that are constant, such as quality flags, if others are not."""
    fixed = [name for name in numeric if free[name].nunique(dropna=False) == 1 and not is_target_name(name)]
    return fixed if len(fixed) < len(numeric) else []


def find_targets(
    where: str, free: pd.DataFrame, given: tuple[str, ...], numeric: list[str]
) -> tuple[tuple[str, ...], list[str], list[str]]:
    """Return the targets, the remaining numeric columns, and notes on the choice."""
    if not given:
        _refuse_odd_target(where, free, numeric)
    if not given and not numeric:
        text = [f"{name!r} such as {str(next(iter(free[name].dropna()), 'blank'))!r}" for name in free]
        refuse(
            where,
            "there must be a numeric column to forecast",
            f"only {first_few(text)}" if text else "no other column",
        )
    if given:
        return given, [name for name in numeric if name not in given], []
    named = named_targets(numeric)
    targets = named or tuple(name for name in numeric if not _is_indicator(free[name])) or tuple(numeric)
    rest = [name for name in numeric if name not in targets]
    return targets, rest, _choice_notes(targets, numeric, bool(named))


def _is_indicator(column: pd.Series) -> bool:
    """Return whether a column tells of promotions, holidays and similar, or holds only 0 and 1."""
    return is_ahead(column.name) or bool(column.dropna().isin((0, 1)).all())


def named_targets(numeric: list[str]) -> tuple[str, ...]:
    """Return columns named like targets, only those of the clearest kind.

    Of the quotes of an asset (open, high, low, close), the closing price is the target, also if there is a volume.
    """
    quotes = {word: name for name in reversed(numeric) for word in column_names.split_name(name)[:1]}
    if quotes.keys() >= column_names.QUOTES:
        return (quotes["close"],)
    for test in (column_names.is_called, column_names.holds):
        for names in column_names.TARGETS:
            named = [name for name in numeric if test(name, names)]
            named = [name for name in named if not column_names.holds(name, column_names.NOT_TARGETS)]
            if _is_unlike("ot", named, numeric):
                continue
            if named:
                return tuple(named)
    return ()


def _is_unlike(name: str, named: list[str], numeric: list[str]) -> bool:
    """Return whether the only column named like a target is one of several numbered columns of the same kind."""
    return [column_names.plain(one) for one in named] == [name] and any(str(one).isdigit() for one in numeric)


def _choice_notes(targets: tuple[str, ...], numeric: list[str], named: bool) -> list[str]:
    if len(targets) > 1:
        why = "all are named like a target" if named else "no column name identifies the target"
        rest = "the others are" if len(numeric) > 2 else "the other is"
        return [f"{len(targets)} targets, as {why}: target={targets[0]!r} forecasts one, and {rest} past covariates"]
    return []


def _refuse_odd_target(where: str, free: pd.DataFrame, numeric: list[str]) -> None:
    """Refuse a column named like a target whose cells are numbers except for a few."""
    clear = {name for names in column_names.TARGETS[:2] for name in free if column_names.is_called(name, names)}
    for name in free:
        column = free[name]
        if name in numeric or pd.api.types.is_numeric_dtype(column) or not (name in clear or not numeric):
            continue
        odd = odd_cells(column)
        if odd.any() and odd.sum() < column.notna().sum() / 2:
            remedy = "Replace them by numbers or leave them blank."
            refuse(where, f"the column {name!r} must contain numbers to be forecast", show_cells(column, odd), remedy)


def offer_known(past: tuple[str, ...]) -> list[str]:
    """Return a sentence on past covariates that are usually known in advance."""
    quotes = column_names.QUOTES - {"close"} <= {column_names.plain(name) for name in past}
    ahead = [name for name in past if is_ahead(name) and not (quotes and column_names.is_called(name, ("open",)))]
    if not ahead:
        return []
    verb = "is" if len(ahead) == 1 else "are"
    return [
        f"{first_few(ahead, 8)} {verb} taken as known up to the cutoff only: "
        f"known={','.join(ahead)!r} where they are known ahead"
    ]


def is_ahead(name: str) -> bool:
    """Return whether a column of this name is usually known in advance, such as a promotion."""
    return column_names.is_called(name, column_names.AHEAD) or column_names.holds(name, column_names.AHEAD)
