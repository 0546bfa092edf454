"""Constructor parameters from the text of flags."""

import pytest
import typer

from forecastkit.cli import flags
from forecastkit.cli.parameters import parse_parameters


def test_text_of_flags_becomes_parameters():
    read = parse_parameters({"target": '"a,b", c', "validation_size": "0.1", "horizon": 3}, ["units=8", "how=median"])
    assert read == {"target": ["a,b", "c"], "validation_size": 0.1, "horizon": 3, "units": 8, "how": "median"}
    assert parse_parameters({}, ["patience=none", "calendar=True"]) == {"patience": None, "calendar": True}


@pytest.mark.parametrize(("parse", "least"), [(flags.parse_count, 1), (flags.parse_count_from_zero, 0)])
def test_counts_start_at_their_least_value(parse, least):
    assert parse(str(least)) == least
    assert parse(str(flags.MAX_COUNT)) == flags.MAX_COUNT
    for text in (str(least - 1), str(flags.MAX_COUNT + 1), "1.5", "many"):
        with pytest.raises(typer.BadParameter, match=f"whole number from {least} to"):
            parse(text)
