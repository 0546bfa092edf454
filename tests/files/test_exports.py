"""Exports of ten kinds, made up, each with what ``forecast inspect --json`` must find in it."""

import json
from pathlib import Path

import pytest

from forecastkit.cli import main

EXPORTS = Path(__file__).parent.parent / "fixtures" / "exports"
NAMES = (
    "bank", "census", "erp", "grid_operator", "hospital", "sensor", "shop", "stock_quotes", "weather_station",
    "web_analytics",
)  # fmt: skip
KEYS = {
    "kind", "file", "rows", "separator", "decimal", "encoding", "date_order", "time", "freq", "timezone", "clock",
    "first", "last", "series_id", "series", "missing", "target", "known", "past", "static", "unused", "usual",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_understood(name, capsys):
    path = EXPORTS / f"{name}.csv"
    assert main(["inspect", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == KEYS
    wanted = json.loads((EXPORTS / f"{name}.json").read_text(encoding="utf-8"))
    found["unused"] = sorted(found["unused"])
    assert {key: found[key] for key in wanted} == wanted
