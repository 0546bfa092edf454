"""Run logs: a file is known to be ours before it is written to, and a full disk costs one piece of work at most."""

import errno
import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.run_log import RunLog, fingerprint, remove_log

HEADER = {"data": "abc", "horizon": 3}
FOREIGN = {
    "table.csv": b"a,b\n1,2\n3,4\n",
    "one_line.csv": b"a,b",
    "notes.txt": b"first\nsecond\nthird",
    "pretty.json": b'{\n "a": 1,\n "b": 2\n}\n',
    "lines.jsonl": b'{"a": 1}\n{"a": 2}\n',
    "cut.jsonl": b'{"a": 1}\n{"a":',
    "of_compare.jsonl": b'{"journal": "compare", "data": "abc", "horizon": 3}\n{"key": "k"}\n{"key": ',
    "other_data.jsonl": b'{"journal": "backtest", "data": "xyz", "horizon": 3}\n{"key": "k"}\n{"key": ',
    "no_key.jsonl": b'{"journal": "backtest", "data": "abc", "horizon": 3}\n{"a": 1}\n{"key": ',
    "odd_key.jsonl": b'{"journal": "backtest", "data": "abc", "horizon": 3}\n{"key": [1]}\n{"key": ',
    "cut_header.jsonl": b'{"journal": "backtest", "da',
    "bytes.bin": bytes(range(256)),
    "numbers.txt": b"1\n2\n",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FOREIGN[name])
    with pytest.raises(InputError, match=r"must be (a file that backtest wrote|of the same data)"):
        RunLog(path, HEADER, "backtest", "resume")
    assert path.read_bytes() == FOREIGN[name]
    if name not in ("other_data.jsonl", "no_key.jsonl", "odd_key.jsonl"):
        with pytest.raises(InputError, match="must be a file that backtest wrote"):
            remove_log(path, "backtest")
        assert path.read_bytes() == FOREIGN[name]


@pytest.mark.parametrize("call", ["backtest", "compare", "auto"])
def test_no_function_writes_over_a_table(tmp_path, call):
    path = tmp_path / "precious.csv"
    path.write_bytes(FOREIGN["table.csv"])
    series, linear = np.arange(60.0) % 7, fk.LinearForecaster(horizon=2)
    calls = {
        "backtest": lambda: fk.backtest(linear, series, refit=True, n_windows=2, resume=path),
        "compare": lambda: fk.compare(["linear"], series, horizon=2, memory=False, path=path),
        "auto": lambda: fk.AutoForecaster(forecasters=["drift"], horizon=2, path=path).fit(series),
    }
    with pytest.raises(InputError, match="wrote"):
        calls[call]()
    assert path.read_bytes() == FOREIGN["table.csv"]


def test_a_check_of_parameters_creates_no_file(tmp_path):
    fk.AutoForecaster(path=tmp_path / "trials.jsonl")._check_parameters()
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_hold_a_log_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing" / "log", Path("/dev/null"), tmp_path / ("x" * 300)):
        with pytest.raises(InputError, match=r"resume must be (a file that backtest wrote|writable)"):
            RunLog(path, HEADER, "backtest", "resume")


@pytest.mark.parametrize("cut", [0, 1, 5, 25])
def test_the_next_line_replaces_one_that_was_cut_off(tmp_path, cut):
    path = tmp_path / "log.jsonl"
    log = RunLog(path, HEADER, "backtest")
    for key in "ab":
        log.add(key, {"value": ord(key)})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    log = RunLog(path, HEADER, "backtest")
    assert path.read_bytes() == whole[: len(whole) - cut], "opening changes nothing"
    assert list(log.done) == (["a", "b"] if cut < 2 else ["a"])
    log.add("c", {"value": 1})
    assert [json.loads(line).get("key") for line in path.read_text().splitlines()][1:] == [*log.done]
    assert RunLog(path, HEADER, "backtest").done == log.done


def test_a_full_disk_is_a_sentence_and_the_same_call_continues(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    log = RunLog(path, HEADER, "backtest", "resume")
    log.add("a", {"value": 1})

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"No space left on device.* Finished work is kept"):
            log.add("b", {"value": 2})
    assert "b" not in log.done
    log.add("b", {"value": 3})
    assert RunLog(path, HEADER, "backtest").done == {"a": {"value": 1}, "b": {"value": 3}}


def test_only_a_log_of_the_same_work_is_removed(tmp_path):
    path = tmp_path / "log.jsonl"
    remove_log(path, "compare")
    RunLog(path, HEADER, "compare")
    with pytest.raises(InputError, match="must be a file that backtest wrote"):
        remove_log(path, "backtest")
    remove_log(path, "compare")
    assert not path.exists()


def test_a_hash_of_the_data_copies_a_part_at_a_time():
    panel = read_panel(np.zeros((1 << 21, 2)))[0]
    tracemalloc.start()
    fingerprint(panel)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < panel.target.nbytes / 4
