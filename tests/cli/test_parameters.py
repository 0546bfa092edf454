"""Constructor parameters from the text of flags."""

from forecastkit.cli.parameters import parse_parameters


def test_text_of_flags_becomes_parameters():
    read = parse_parameters({"target": '"a,b", c', "validation_size": "0.1", "horizon": 3}, ["units=8", "how=median"])
    assert read == {"target": ["a,b", "c"], "validation_size": 0.1, "horizon": 3, "units": 8, "how": "median"}
    assert parse_parameters({}, ["patience=none", "calendar=True"]) == {"patience": None, "calendar": True}
