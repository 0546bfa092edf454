"""Results that are short in print and a table in notebooks."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: Rows that are shown.
SHOWN = 10


class Printable:
    """Mixin: prints a line and the first rows of a table; notebooks show both as HTML."""

    def summary(self) -> str:
        """Return a description in one line."""
        raise NotImplementedError

    def _shown(self) -> "pd.DataFrame | None":
        """Return the table to show, the most important rows first; None without one."""
        raise NotImplementedError

    def __repr__(self) -> str:
        table = self._shown()
        return self.summary() if table is None else f"{self.summary()}\n{table.head(SHOWN).to_string(**_format(table))}"

    def _repr_html_(self) -> str:
        table = self._shown()
        shown = "" if table is None else table.head(SHOWN).to_html(**_format(table))
        return f"<p>{self.summary()}</p>{shown}"


def _format(table) -> dict:
    """Return options of pandas: four digits, and the index if it has a name."""
    return {"float_format": lambda value: f"{value:.4g}", "index": table.index.name is not None}
