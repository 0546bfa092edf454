"""Roles suggested by column names in English, German, French, Spanish, Italian, Portuguese, Dutch, and partly others.

A name is compared as a whole (``sales``), and by its words: ``Weekly_Sales`` and ``weeklySales`` hold two.
"""

import re
import unicodedata
from collections.abc import Iterable


def words(text: str) -> frozenset[str]:
    """Return the names in a string, without accents."""
    return frozenset(plain(text).split())


def plain(name: object) -> str:
    """Return a name in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", str(name).strip().lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def split_name(name: object) -> list[str]:
    """Return the words of a name: ``order_date`` and ``orderDate`` have two."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(name))
    return re.findall(r"[^\W\d_]+", plain(spaced))


def is_called(name: object, names: Iterable[str]) -> bool:
    """Return whether a name is one of these, with spaces or underscores between its words."""
    called = plain(name)
    return called in names or re.sub(r"[\s\-]+", "_", called) in names


def holds(name: object, names: Iterable[str]) -> bool:
    """Return whether a word of a name is one of these; single letters, as in ``y2``, are not words."""
    return any(word in names for word in split_name(name) if len(word) > 1)


def likeness(name: object, names: Iterable[str]) -> tuple[bool, bool]:
    """Return a sort key: names equal to one of the words first, then names that contain one."""
    return not is_called(name, names), not holds(name, names)


#: Columns of whole dates or times.
DATES = words(
    "time date datetime date_time timestamp ts ds dt period zeit zeitpunkt zeitstempel zeitraum periode datum heure "
    "unix epoch temps fecha tiempo periodo data ora tempo tijd tijdstip tijdstempel dteday "
    "yearmonth year_month yyyymm yearmon yyyymmdd yearweek year_week yyyyww anomes jahrmonat "
    "дата dato tarih päivämäärä ημερομηνία dátum tanggal التاريخ תאריך "
    "日期 时间 時間 日時 日付 年月 年月日 날짜 일자 일시"
)
_CLEAR_DATES = words("date datetime timestamp datum fecha yearmonth yyyymm yearmon yearweek yyyyww дата 日期 日付 날짜")


def is_date(name: object) -> bool:
    """Return whether a name is certainly that of a date, such as ``Order Date``, but not ``sales to date``."""
    split = split_name(name)
    return is_called(name, _CLEAR_DATES) or (bool(split) and split[-1] in _CLEAR_DATES and "to" not in split)


YEARS = words(
    "year yr yyyy yy jahr annee an ano año anno jaar fiscal_year fiscalyear calendar_year geschaftsjahr exercice "
    "ejercicio esercizio exercicio boekjaar год рік rok år yıl vuosi έτος év tahun 年 年份 年度 연도 년"
)
QUARTERS = words("quarter qtr quartal trimestre trimester kwartaal fiscal_quarter")
HALVES = words("half halbjahr semester semestre halfjaar half_year")
MONTHS = words(
    "month mnth mon mm mo mn monat mois mes mese maand "
    "месяц місяць miesiąc měsíc månad måned kuukausi μήνας hónap ay lună bulan 月 月份 월"
)
WEEKS = words(
    "week wk kw woche semaine semana settimana isoweek weekofyear weeknum weeknumber calendar_week fiscal_week "
    "week_number week_no"
)
DAYS = words("day dd dy dom dayofmonth day_of_month tag jour dia giorno dag день dzień den gün päivä 日 일")
HOURS = words(
    "hour hr hh h stunde std uur heure hora ora hour_of_day hourofday he hour_ending "
    "hours stunden heures horas ore uren час godzina hodina saat timme tunti óra 时 時 小时 시"
)
MINUTES = words("minute minutes min mn minuto minutos minuti minuut minuten")
SECONDS = words("second seconds sec ss segundo segundos secondi sekunde sekunden seconde seconden")
#: Columns of months or quarters such as ``M01`` and ``Q1``.
PERIODS = words("period periode periodo")
#: Words of times at which an interval ends or a record was written.
LATER = words(
    "end ended ende bis until to stop fin fine fim final eind creation created updated modified inserted available"
)
#: Parts of dates that do not determine a date.
WEEKDAYS = words(
    "weekday dayofweek day_of_week dow wochentag jour_semaine dia_semana giorno_settimana weekdag dayname day_name "
    "dayofyear day_of_year doy"
)
DAYS_OF_YEAR = words("dayofyear day_of_year doy yday")
#: Columns of numbered periods of a day, such as the 48 of a settlement day.
SLOTS = words(
    "period periode periodo position pos slot block time_block interval settlement_period settlementperiod "
    "trading_period tradingperiod half_hour halfhour quarter_hour ptu"
)
CLOCKS = words("time uhrzeit zeit heure hora ora orario tijd clock timeofday time_of_day hour stunde uur interval")
#: Any name of a time or of a part of one.
TIMES = DATES | YEARS | QUARTERS | HALVES | MONTHS | WEEKS | DAYS | HOURS | words("uhrzeit hour")
CALENDAR = YEARS | QUARTERS | HALVES | MONTHS | WEEKS | DAYS | HOURS | MINUTES | SECONDS | WEEKDAYS

SERIES = words(
    "id uid series item product article sku upc store shop branch outlet site station sensor meter device machine "
    "location region country state city zone area group category family department dept brand ticker symbol customer "
    "client household name code key plant material warehouse vendor supplier ward patient clinic hospital team player "
    "cost_center werk lager lieferant kostenstelle usine materiau entrepot planta almacen magazzino stabilimento "
    "serie reihe produkt artikel filiale markt standort zahler ort land stadt gruppe "
    "kunde "
    "produit magasin ville pays groupe capteur client producto articulo tienda ciudad pais grupo sensor cliente "
    "prodotto articolo negozio citta paese gruppo sensore produto artigo loja cidade winkel stad groep klant "
    "vestiging abteilung kategorie marke categorie marque categoria marca"
)
COUNTERS = words(
    "no nr num number id idx index row rowid row_id rownum rec record instant obs unnamed lfd zeile n numero nummer"
)

#: Columns to forecast, the clearest names first.
TARGETS = (
    words("y target ot ziel zielwert zielgrosse cible objetivo obiettivo alvo doel"),
    words(
        "value values sales sale demand load consumption cnt count counts quantity qty units revenue turnover "
        "orders volume usage actual actuals ist "
        "wert werte umsatz umsatze absatz verbrauch nachfrage last menge anzahl verkauf verkaufe abverkauf bedarf "
        "valeur ventes vente demande consommation charge quantite "
        "valor ventas venta demanda consumo carga cantidad "
        "valore vendite vendita domanda carico quantita conteggio "
        "venda vendas quantidade contagem procura "
        "waarde verkoop verkopen omzet vraag verbruik belasting aantal "
        "продажи выручка sprzedaż satış försäljning salg myynti πωλήσεις eladás prodej penjualan "
        "売上 売上高 销售额 销量 销售量 매출 판매량"
    ),
    words(
        "price close amount passengers visitors visits pageviews sessions users traffic "
        "preis betrag besucher prix montant precio importe prezzo importo preco prijs bedrag "
        "pm pm2.5 pm25 pm10 births deaths cases production generation output"
    ),
)
#: Columns of quotes of an asset.
QUOTES = words("open high low close")
#: Words of columns that are derived from a target.
NOT_TARGETS = words(
    "forecast forecasted predicted prediction pred prognose previsione previsao prevision pronostico prevision "
    "lag lagged previous prev last_year avg average mean rolling moving ma min max std budget plan planned "
    "expected estimate estimated lower upper"
)
#: Columns that are usually known in advance.
AHEAD = words(
    "open promo promotion promotions holiday holidays event closed onpromotion discount campaign schoolholiday "
    "stateholiday isholiday vacation feiertag ferien offen geoffnet aktion rabatt ferie vacances ouvert promotion "
    "festivo vacaciones abierto promocion festivita vacanze aperto promozione feriado ferias aberto promocao "
    "feestdag vakantie actie geopend workingday weekend"
)
