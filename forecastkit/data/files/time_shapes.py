"""Formats of times given as text: patterns, names of months, and names of periods.

The patterns are used by `re` and by the RE2 engine of PyArrow, so they are restricted to what both support.
"""

import re

#: Names of months and their abbreviations in English, German, French, Spanish, Italian, Portuguese and Dutch, then in
#: Russian, Ukrainian, Polish, Czech, Slovak, Swedish, Danish, Norwegian, Finnish, Greek, Hungarian, Turkish, Romanian
#: and Indonesian.
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jänner jaenner janvier janeiro januari gennaio enero janv jan jän ene gen "
            "января январь янв січня січень січ stycznia styczeń sty ledna leden led januára január "
            "tammikuuta tammikuu tammi ιανουαρίου ιανουάριος ιαν ocak oca ianuarie ian",
            "february februar février fevrier febrero febbraio fevereiro februari févr fevr feb fév fev "
            "февраля февраль февр лютого лютий лют lutego luty lut února únor úno februára február helmikuuta "
            "helmikuu helmi φεβρουαρίου φεβρουάριος φεβ febr şubat şub februarie фев",
            "march märz maerz mars marzo março marco maart mär mrz mar mrt "
            "марта март мар березня березень бер marca marzec března březen bře marec marts maaliskuuta "
            "maaliskuu maalis μαρτίου μάρτιος μαρ μάρ március márc mart martie maret",
            "april avril abril aprile apr avr abr "
            "апреля апрель апр квітня квітень квіт kwietnia kwiecień kwi dubna duben dub apríla apríl "
            "huhtikuuta huhtikuu huhti απριλίου απρίλιος απρ április ápr nisan nis aprilie",
            "mayo maggio maio mai may mag mei "
            "мая май травня травень трав maja maj května květen kvě mája máj toukokuuta toukokuu touko μαΐου "
            "μάιος μαΐ μάι május mayıs",
            "june juni juin junio giugno junho jun giu "
            "июня июнь июн червня червень черв czerwca czerwiec cze června červen čvn júna jún kesäkuuta "
            "kesäkuu kesä ιουνίου ιούνιος ιουν ιούν június haziran haz iunie iun",
            "july juli juillet julio luglio julho juil jul lug "
            "июля июль июл липня липень лип lipca lipiec lip července červenec čvc júla júl heinäkuuta "
            "heinäkuu heinä ιουλίου ιούλιος ιουλ ιούλ július temmuz tem iulie iul",
            "august août aout agosto augustus aug aoû ago "
            "августа август авг серпня серпень серп sierpnia sierpień sie srpna srpen srp augusta augusti "
            "elokuuta elokuu elo αυγούστου αύγουστος αυγ αύγ augusztus ağustos ağu agustus agu",
            "september septembre septiembre settembre setembro sept sep set "
            "сентября сентябрь сент вересня вересень вер września wrzesień wrz září zář septembra syyskuuta "
            "syyskuu syys σεπτεμβρίου σεπτέμβριος σεπ szeptember szept eylül eyl septembrie сен",
            "october oktober octobre octubre ottobre outubro oct okt ott out "
            "октября октябрь окт жовтня жовтень жовт października październik paź října říjen říj októbra "
            "október lokakuuta lokakuu loka οκτωβρίου οκτώβριος οκτ ekim eki octombrie",
            "november novembre noviembre novembro nov "
            "ноября ноябрь нояб листопада листопад лист listopada listopad lis listopadu novembra marraskuuta "
            "marraskuu marras νοεμβρίου νοέμβριος νοε νοέ kasım kas noiembrie ноя",
            "december dezember décembre decembre diciembre dicembre dezembro dec dez déc dic "
            "декабря декабрь дек грудня грудень груд grudnia grudzień gru prosince prosinec pro decembra "
            "desember des joulukuuta joulukuu joulu δεκεμβρίου δεκέμβριος δεκ aralık ara decembrie",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tues tue wed thurs thur thu fri sat sun "
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so "
    "lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim "
    "lunes martes miércoles miercoles jueves viernes sábado sabado domingo mié mie jue vie sáb sab dom "
    "lunedì martedì mercoledì giovedì venerdì lunedi martedi mercoledi giovedi venerdi domenica gio "
    "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira seg ter qua qui sex "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo"
)
#: Minutes east of Greenwich of time zone abbreviations in exports.
ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 60, "west": 60, "cet": 60, "mez": 60, "cest": 120, "mesz": 120,
    "eet": 120, "eest": 180, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420,
}  # fmt: skip
#: Names of periods of a year, and their kinds.
PERIODS = {
    "quarter": "q t k quarter qtr quartal trimestre trim kwartaal",
    "half": "h half hj halbjahr semestre semester halfjaar",
    "week": "w wk kw week woche kalenderwoche semaine sem semana settimana",
    "month": "m month monat mois mes mês mese maand",
    "s": "s",  # a half (semestre) or a week (semaine): the whole column decides
}
UNITS = {name: unit for unit, names in PERIODS.items() for name in names.split()}


def _any_of(names) -> str:
    return "|".join(re.escape(name).replace(r"\-", "-") for name in sorted(names, key=lambda name: (-len(name), name)))


_NAME = rf"(?P<name>{_any_of(MONTHS)})\.?"
_UNIT = rf"(?P<unit>{_any_of(UNITS)})"
_WEEKDAY = rf"(?:(?:{_any_of(set(_WEEKDAYS.split()))})\.?,?\s+)?"
_YEAR = r"(?P<year>\d{4}|\d{2})"
#: Fiscal and calendar years; a fiscal one is read as the calendar year of its number.
_FISCAL = r"(?:(?:FY|CY)\s?'?)?"
_DAY = r"(?P<day>\d{1,2})"
_ORDINAL = r"(?:\.|st|nd|rd|th|er|º|ª)?"
_ZONE = rf"\(?(?P<zone>(?:UTC|GMT)?[+\-−]\d{{1,2}}(?::?\d{{2}}(?::\d{{2}})?)?|{_any_of(ZONES)})\)?(?:\[[A-Za-z_/]+\])?"
_CLOCK = (
    r"(?:(?:[T_:]|\s*,?\s+-?\s*(?:at\s+|um\s+|à\s+|a\s+las\s+)?)"
    r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    rf"\s*(?:h|Uhr)?\s*(?P<half>[ap]\.?\s?m\.?)?\s*(?:{_ZONE})?)?"
)
_SHAPES = {
    "year month": (
        rf"{_WEEKDAY}(?P<year>\d{{4}})(?P<mark>[-/.:])\s?0?(?P<month>\d{{1,2}})(?:[-/.]\s?{_DAY}\.?{_CLOCK})?"
    ),
    "digits": (
        rf"{_WEEKDAY}(?P<first>\d{{1,2}})(?P<mark>[-/.])\s?(?P<other>\d{{1,2}})[-/.]\s?(?P<year>\d{{4}}|\d{{2}}){_CLOCK}"
    ),
    "year period": (
        rf"{_FISCAL}(?P<year>\d{{4}})\s*[-/,.]?\s*{_UNIT}[.-]?\s*(?P<number>\d{{1,2}})(?:-(?P<weekday>[1-7]))?"
    ),
    "fiscal period": rf"(?:FY|CY)\s?'?(?P<year>\d{{2}})\s*[-/,.]?\s*{_UNIT}[.-]?\s*(?P<number>\d{{1,2}})",
    "period year": rf"{_UNIT}[. -]*(?P<number>\d{{1,2}})[-/ ,.'’]+(?:of\s+|de\s+)?{_FISCAL}{_YEAR}",
    "number period": rf"(?P<number>\d{{1,2}}){_ORDINAL}\s*{_UNIT}[-/ ,.'’]*(?:of\s+|de\s+)?{_YEAR}",
    "month year": r"0?(?P<month>\d{1,2})(?P<mark>[-/.])(?P<year>\d{4})",
    "day name year": (
        rf"{_WEEKDAY}{_DAY}{_ORDINAL}[-/ ]*(?:de\s+|of\s+)?{_NAME}(?:\s+del?\s+|[-/ ,'’]*){_YEAR}{_CLOCK}"
    ),
    "name day year": rf"{_WEEKDAY}{_NAME}[-/ ]*{_DAY}(?:st|nd|rd|th)?[-/, ]+{_YEAR}{_CLOCK}",
    "name year": rf"{_NAME}(?:\s+del?\s+|[-/ ,.'’]*){_YEAR}",
    "year name": rf"(?P<year>\d{{4}})[-/ ]*{_NAME}(?:[-/ ]+{_DAY}{_CLOCK})?",
    "name day clock year": (
        rf"{_WEEKDAY}{_NAME}\s+{_DAY}\s+(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}}):(?P<second>\d{{2}})"
        rf"(?:\s+{_ZONE})?\s+(?P<year>\d{{4}})"
    ),
    "compact": (
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})[T _:-]\s?"
        rf"(?P<hour>\d{{2}})(?::?(?P<minute>\d{{2}})(?::?(?P<second>\d{{2}})(?:[.,](?P<fraction>\d{{1,9}}))?)?)?\s*(?:{_ZONE})?"
    ),
    "characters": (
        r"(?P<year>\d{4})\s*[年년]\s*(?P<month>\d{1,2})\s*[月월]\s*"
        r"(?:(?P<day>\d{1,2})\s*[日일]\s*(?:(?P<hour>\d{1,2})(?:[:时時시]\s*(?:(?P<minute>\d{2})(?:分|분)?)?)?)?)?"
    ),
}
#: Patterns of formats by name, with the named groups that they capture. Compiled where used: that takes 50 ms.
SHAPES = {name: rf"(?i)^\s*{pattern}(?:\s*г\.?)?\s*$" for name, pattern in _SHAPES.items()}

_HOURS = r"\d{1,2}:\d{2}(?::\d{2})?"
_TO = r"(?:\s-|-\s|–|—|~|\sto\s|\sbis\s|\suntil\s)"
#: Characters of the longest cell that may be a time: the patterns take a time that grows with the square of them.
LONGEST_TIME = 200
#: An interval, whose first group is the start.
INTERVALS = (
    re.compile(
        rf"(?i)^\s*(.*[\sT]{_HOURS}(?:\s*[ap]m)?)\s*{_TO}\s*(?:.*[\sT])?{_HOURS}(?:\s*[ap]m)?(?:\s*\(?[a-z/]+\)?)?\s*$"
    ),
    re.compile(rf"(?i)^\s*(.*[^\W\d].*\d{{4}})\s*{_TO}\s*.*[^\W\d].*\d{{4}}\s*$"),
    re.compile(r"(?i)^\s*(\d[\d./-]{5,})\s*(?:\s-|-\s|–|—|~|\sto\s|\sbis\s|/)\s*\d[\d./-]{5,}\s*$"),
    re.compile(rf"(?i)^\s*(\d{{4}}-\d\d-\d\d(?:T{_HOURS}\S*)?)/(?:P\S+|\d{{4}}-\d\d-\d\dT\S+)\s*$"),  # of ISO 8601
    re.compile(r"^\s*[\[(](\d[^,()\[\]]+),[^,()\[\]]+[\])]\s*$"),  # as pandas writes them
)
#: Like the first, but without a mark that distinguishes it from a time with an offset.
CLOSE_INTERVAL = re.compile(rf"^\s*(.*[\sT]{_HOURS})-{_HOURS}\s*$")


def is_time(cell: object) -> bool:
    """Return whether a cell has the format of a time."""
    if not isinstance(cell, str) or len(cell) > LONGEST_TIME:
        return False
    for pattern in INTERVALS:
        if found := pattern.match(cell):
            cell = found[1]
    return any(re.match(shape, cell) for shape in SHAPES.values())


_WEEK_NAME = re.compile(r"(?i)week|woche|semaine|semana|settimana|(?<![a-z])(?:kw|wk|yyyyww|yw)(?![a-z])")
_JULIAN_NAME = re.compile(r"(?i)julian|yyddd")
_QUARTER_NAME = re.compile(r"(?i)quart|qtr|trimest|kwartaal|(?<![a-z])q(?![a-z])")
_DATE_NAME = re.compile(r"(?i)date|datum|dato|fecha|data|giorno|zeitpunkt|zeitstempel|timestamp|日期|日付|날짜")


def named_period(name: object) -> str:
    """Return what a name implies: ``"week"``, ``"quarter"``, ``"julian"``, ``"date"``, or an empty string."""
    if not isinstance(name, str):
        return ""
    patterns = {"week": _WEEK_NAME, "quarter": _QUARTER_NAME, "julian": _JULIAN_NAME, "date": _DATE_NAME}
    return next((period for period, pattern in patterns.items() if pattern.search(name)), "")
