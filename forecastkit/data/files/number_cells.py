"""Parsing of numbers in text columns: digits, signs, units and missing cells.

Numbers may have thousands separators, a decimal comma, signs of currencies and per cent, minus signs of other kinds or
in parentheses, K and M for thousands and millions, and a unit that is the same in all cells.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecastkit.data.files.time_shapes import MONTHS, is_time, named_period

#: Text of missing numbers.
MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "Null", "n/a", "nan", "null", "?", "-", "--", "#VALUE!", "#DIV/0!", "n.a.",
    ".", "..", "...", "…", ":", "–", "—", "(NA)", "N.A.", "#NV", "k.A.", "n.d.", "s/d", "nil", "missing", "NoData",
    "**", "***", "---", "n/e", "N/E", "unavailable", "unknown", "NAN", "no data", "No data",
)  # fmt: skip
#: Those that no program writes by default; they are reported when they are read as missing.
MARKS = MISSING[MISSING.index(".") :]
_INTEGER = r"^[+-]?\d{1,18}$"
PADDED, _LONG = r"^0\d+$", r"^[+-]?\d{19,}$"
PLAIN = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_DOTTED_MONTHS = (r"^0?(?:0[1-9]|1[0-2])\.(?:1[7-9]|2[01])\d\d$", r"^(?:1[7-9]|2[01])\d\d\.(?:0[1-9]|1[0-2])$")
_INFINITE = r"^[+-]?(?:inf|Inf|INF|Infinity|infinity)$"
GAPS = r" '’\x{a0}\x{202f}\x{2009}"
_WORD = r"[^\d\s.,()+\-−–'’%]{1,4}"
_PARTS = (
    rf"^(?P<below>[<≤])?\s*(?P<open>\()?\s*(?P<sign>[+\-−–])?\s*(?P<before>{_WORD})?\s*(?P<inner>[\-−–])?\s*"
    rf"(?P<body>\d[\d.,{GAPS}]*|[.,]\d+)(?P<power>[eE][+-]?\d+)?\s*(?P<after>[^\d\s.,()+\-−–'’][^\d()]{{0,14}}?)?"
    r"\s*(?P<back>[\-−])?(?P<close>\))?$"
)
_DOT = rf"^(?:\d+|\d{{1,3}}(?:[,{GAPS}]\d{{3}})+|\d{{1,2}}(?:,\d{{2}})+,\d{{3}})(?:\.\d*)?$|^\.\d+$"
_COMMA = rf"^(?:\d+|\d{{1,3}}(?:[.{GAPS}]\d{{3}})+)(?:,\d*)?$|^,\d+$"
_FIRST = 200  # cells that tell most columns of names from those of numbers
OPEN_CELL = r"^[+-]?(?:[1-9]\d{0,2}\.\d{3}|\d+)$"
OPEN_GROUP = r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$"  # one separator before three digits: thousands or a fraction
_SCALES = {
    "k": 1e3, "K": 1e3, "tsd": 1e3, "Tsd": 1e3, "M": 1e6, "mio": 1e6, "Mio": 1e6, "mn": 1e6, "mln": 1e6, "million": 1e6,
    "B": 1e9, "bn": 1e9, "Bn": 1e9, "Mrd": 1e9, "mrd": 1e9, "billion": 1e9,
}  # fmt: skip
_CURRENCIES = "$€£¥₹₽₩₺₴₫฿₪"
_CURRENCY_WORDS = (
    "EUR USD GBP CHF JPY CNY RMB INR BRL CAD AUD NZD SEK NOK DKK PLN CZK HUF RUB TRY ZAR MXN KRW kr Kr zł Kč Ft Rs R US"
)
_UNITS = (
    "% ‰ °C °F °K ° kW MW GW Wh kWh MWh GWh kJ MJ mA kV VA kVA Hz kHz mm cm m km mi ft in l L ml hl m³ g kg t mg lb oz "
    "s ms min h hr hrs d Pa hPa kPa mbar bar ppm ppb µg/m³ μg/m³ ug/m3 mg/l m/s km/h mph l/h m³/h m³/s W/m² kWh/m² "
    "mm/h St Stk Stück pcs pc units Uhr"
)
#: Footnote marks, and the letters of statistical offices: provisional, estimated, break in the series.
_MARKS = {"*", "**", "#", "†", "‡", "§"}
_FLAGS = {*"bcdefnprsuz", "bp", "de", "dp", "ep"}
_CALENDAR = re.compile(
    r"(?i)(?:.*[^a-z])?(?:year|yr|month|mon|mnth|mm|mo|day|dd|dy|hour|hr|hh|mi|mn|minute|min|second|sec|week|wk|kw|quarter|qtr|dow|doy|jahr|"
    r"monat|tag|stunde|minute|woche|quartal|an|année|annee|mois|jour|heure|semaine|trimestre|año|ano|mes|mês|día|dia|hora|"
    r"minuto|semana|anno|mese|giorno|ora|settimana|jaar|maand|dag|uur|kwartaal)"
)


@dataclass(eq=False)
class Cells:
    """A parsed text column.

    Attributes
    ----------
    values : Series
        The cells.
    text : pyarrow.Array
        The stripped cells.
    missing : ndarray of bool
    bodies : pyarrow.Array or None
        Digits and separators of the cells that are not missing; None if one is not a number.
    factor : ndarray or float
        Sign and scale (K, M) of each.
    powers : pyarrow.Array or None
        Exponents such as ``e+03`` that were separated from the bodies.
    unit : str
        The unit or currency.
    proves : set of str
        Decimal separators determined by unambiguous cells.
    numbers : ndarray or None
        The numbers, if all cells consist of digits, a point and an exponent.
    """

    values: pd.Series
    text: pa.Array
    missing: np.ndarray
    bodies: pa.Array | None = None
    factor: np.ndarray | float = 1.0
    powers: pa.Array | None = None
    unit: str = ""
    proves: set[str] = field(default_factory=set)
    numbers: np.ndarray | None = None


def odd_cells(values: pd.Series) -> np.ndarray:
    """Return which cells of a text column are neither numbers nor missing."""
    text, missing = _as_text(values)
    good = pc.fill_null(pc.match_substring_regex(text, _PARTS), False).to_numpy(zero_copy_only=False)
    infinite = pc.fill_null(pc.match_substring_regex(text, _INFINITE), False).to_numpy(zero_copy_only=False)
    return ~(good | infinite | missing)


def _as_text(values: pd.Series) -> tuple[pa.Array, np.ndarray]:
    """Return the stripped cells, and which of them are missing."""
    try:
        text = pa.array(values, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowException, TypeError):
        text = pa.array([None if pd.isna(cell) else str(cell) for cell in values], type=pa.large_string())
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    text = pc.utf8_trim_whitespace(text)
    missing = pc.or_(
        pc.is_null(text), pc.fill_null(pc.is_in(text, value_set=pa.array(MISSING, pa.large_string())), False)
    )
    return text, missing.to_numpy(zero_copy_only=False)


def take_apart(values: pd.Series) -> Cells:
    """Return the digits and signs of a text column, and the decimal separators that they determine."""
    text, missing = _as_text(values)
    cells = Cells(values, text, missing)
    given = text.filter(pa.array(~missing)) if missing.any() else text
    first = given[:_FIRST]
    if not len(given):
        cells.bodies = given
    elif _are_months(values, given):
        pass
    elif all_match(first, PLAIN) and (numbers := _cast(given)) is not None:
        cells.bodies, cells.numbers = given, numbers
    elif all_match(given, f"{PLAIN}|{_INFINITE}"):
        infinite = pc.match_substring_regex(given, _INFINITE)
        sign = pc.if_else(pc.starts_with(given, "-"), -np.inf, np.inf)
        cells.factor = pc.if_else(infinite, sign, 1.0).to_numpy(zero_copy_only=False)
        cells.bodies = pc.if_else(infinite, pa.scalar("1.0", given.type), given)
    elif not all(map(is_time, given[:20].to_pylist())):
        _take_parts(cells, first)
        if cells.bodies is not None and len(first) < len(given):
            cells = Cells(values, text, missing)
            _take_parts(cells, given)
    if cells.bodies is not None and len(given):
        _find_proofs(cells)
    return cells


def _are_months(values: pd.Series, given: pa.Array) -> bool:
    """Return whether cells such as ``01.2020`` or ``2020.01`` are months, by their values or the column name."""
    if not any(all_match(given[:_FIRST], months) and all_match(given, months) for months in _DOTTED_MONTHS):
        return False
    return len(given) >= 8 or _CALENDAR.fullmatch(str(values.name)) is not None or named_period(values.name) == "date"


def _cast(given: pa.Array) -> np.ndarray | None:
    """Return plain numbers, None if a cell has other characters than digits, a point and an exponent."""
    for kind in (pa.int64(), pa.float64()):
        try:
            return pc.cast(given, kind).to_numpy()
        except pa.ArrowInvalid:
            continue
    return None


def all_match(text: pa.Array, pattern: str) -> bool:
    """Return whether all cells match a regular expression."""
    return bool(pc.all(pc.match_substring_regex(text, pattern)).as_py())


def any_match(text: pa.Array, pattern: str) -> bool:
    """Return whether any cell matches a regular expression."""
    return bool(pc.any(pc.match_substring_regex(text, pattern)).as_py())


def _take_parts(cells: Cells, given: pa.Array) -> None:
    found = pc.extract_regex(given, _PARTS)
    if found.null_count:
        return
    parts = {
        name: pc.struct_field(found, name)
        for name in ("below", "open", "sign", "before", "inner", "after", "back", "close")
    }
    before, after = (set(pc.unique(parts[name]).to_pylist()) for name in ("before", "after"))
    scales, units = _split_scales(after)
    flags = units & (_MARKS | _FLAGS if "" in units else _MARKS)
    units -= flags
    if not _are_units(units, before, cells):
        return
    minus = [_is_minus(parts[name]) for name in ("sign", "inner", "back")]
    parentheses = pc.not_equal(parts["open"], "").to_numpy(zero_copy_only=False)
    if (parentheses != pc.not_equal(parts["close"], "").to_numpy(zero_copy_only=False)).any():
        return
    negative = np.logical_or.reduce([*minus, parentheses])
    cells.factor = np.where(negative, -1.0, 1.0)
    below = pc.not_equal(parts["below"], "").to_numpy(zero_copy_only=False)
    cells.factor[below] /= 2
    if scales:
        coded = pc.dictionary_encode(parts["after"])
        powers = np.array([scales.get(word, 1.0) for word in coded.dictionary.to_pylist()])
        cells.factor = cells.factor * powers[coded.indices.to_numpy()]
    cells.bodies = pc.utf8_trim_whitespace(pc.struct_field(found, "body"))
    cells.powers = pc.struct_field(found, "power")
    named = [f"with {', '.join(sorted(scales))}"] if scales else []
    named += [f"flags {' '.join(sorted(flags))} left out"] if flags else []
    named += ["cells such as <1 read as half of the limit"] if below.any() else []
    cells.unit = ", ".join([*named, *(f"in {unit}" for unit in sorted({*units, *before} - {""}))])


def _is_minus(part: pa.Array) -> np.ndarray:
    return pc.is_in(part, value_set=pa.array(["-", "−", "–"], part.type)).to_numpy(zero_copy_only=False)


def _split_scales(words: Iterable[str]) -> tuple[dict[str, float], set[str]]:
    """Return the words after numbers: powers of ten, and units."""
    scales, units = {}, set()
    for word in words:
        head, _, tail = word.strip().partition(" ")
        stem, currency = head.rstrip(_CURRENCIES + "."), head[len(head.rstrip(_CURRENCIES + ".")) :].strip(".")
        if stem in _SCALES and (currency or not tail or is_currency(tail)):
            scales[word] = _SCALES[stem]
            units.add(currency or tail)
        else:
            units.add(word.strip())
    return scales, units


def is_currency(word: str) -> bool:
    """Return whether a word is the symbol or the name of a currency."""
    return word.rstrip(".") in _CURRENCY_WORDS.split() or (
        word != "" and all(sign in _CURRENCIES for sign in word[-1:])
    )


def _are_units(units: set[str], before: set[str], cells: Cells) -> bool:
    """Return whether the words beside numbers are a currency or the same unit in all cells."""
    if len(before - {""}) > 1 or len(units - {""}) > 1:
        return False
    if not all(map(is_currency, before - {""})):
        return False
    for unit in units - {""}:
        if is_currency(unit) or unit in ("%", "‰"):
            continue
        spaced = not pc.any(pc.match_substring_regex(cells.text, rf"\d{re.escape(unit)}\)?$")).as_py()
        if "" in units or not (unit in _UNITS.split() or spaced) or unit.lower().rstrip(".") in MONTHS:
            return False
    return True


def _find_proofs(cells: Cells) -> None:
    """Return the decimal separators determined by cells that can be read in only one way."""
    bodies = cells.bodies
    if cells.numbers is not None:
        if cells.numbers.dtype.kind == "f" and not (
            all_match(bodies[:_FIRST], OPEN_CELL) and all_match(bodies, OPEN_CELL)
        ):
            cells.proves.add(".")
        return
    if cells.powers is None:  # plain numbers
        bodies = pc.replace_substring_regex(bodies, r"^[+-]|[eE].*$", "")
    dot, comma = (pc.match_substring_regex(bodies, pattern) for pattern in (_DOT, _COMMA))
    if not pc.all(pc.or_(dot, comma)).as_py():
        cells.bodies = None
        return
    if not pc.all(comma).as_py():
        cells.proves.add(".")
    if not pc.all(dot).as_py():
        cells.proves.add(",")


def keeps_text(cells: Cells, names_things: bool) -> bool:
    """Return whether numbers stay text because they are identifiers: ``0071``, or ``1e5`` in a column of names."""
    given = cells.text.filter(pa.array(~cells.missing))
    if not len(given):
        return names_things
    if cells.powers is not None:
        return False
    whole = all_match(given, r"^[+-]?\d+$")
    if whole and (cells.numbers is None or cells.numbers.dtype.kind == "f") and any_match(given, _LONG):
        return True  # more digits than a float64 can represent
    if whole and any_match(given, PADDED):
        return names_things or _CALENDAR.fullmatch(str(cells.values.name)) is None
    return names_things and not all_match(given, _INTEGER)
