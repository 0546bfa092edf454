"""Atomic writes: a file is complete or not there."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from forecastkit.utils.atomic_write import atomic_write


@pytest.mark.parametrize("durable", [False, True])
def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path, durable):
    path = tmp_path / "file.txt"
    for text in ("one", "two"):
        with atomic_write(path, durable=durable) as temporary:
            temporary.write_text(text)
            assert temporary.parent == tmp_path
            assert path.exists() is (text == "two")
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as temporary:  # noqa: PT012  half a file is what it is about
        temporary.write_text("ha")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_at_once_do_not_meet(tmp_path):
    path = tmp_path / "file.txt"
    with atomic_write(path) as one, atomic_write(path) as two:
        one.write_text("one")
        two.write_text("two")
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_name_is_no_hindrance(tmp_path):
    path = tmp_path / ("x" * 255)
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"


def test_a_place_that_cannot_be_written_to_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "missing" / "file", tmp_path / "file" / "within"):
        with pytest.raises(OSError, match="irectory"), atomic_write(path) as temporary:
            temporary.write_text("new")


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    with atomic_write(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_devices_pipes_and_loops_are_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    before = sorted(tmp_path.iterdir())
    for path in (tmp_path / "pipe", tmp_path / "loop", Path("/dev/null")):
        with pytest.raises(OSError, match=r"egular file|symbolic links"), atomic_write(path) as temporary:
            temporary.write_text("new")
    assert stat.S_ISFIFO(os.lstat(tmp_path / "pipe").st_mode)
    assert sorted(tmp_path.iterdir()) == before


def test_the_next_write_removes_what_killed_processes_left(tmp_path):
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    gone, machine = int(done.stdout), "0" * 8
    with atomic_write(tmp_path / "file") as temporary:
        ours = temporary.name
        temporary.write_text("x")
        dead, others, old, foreign = (
            tmp_path / name
            for name in (
                ours.replace(f"-{os.getpid()}-", f"-{gone}-"),
                ours.replace(ours.split("-")[1], machine),
                ours.replace(ours.split("-")[1], machine).replace(f"-{os.getpid()}-", "-7-"),
                ".mine.tmp",
            )
        )
        for path in (dead, others, old, foreign):
            path.write_text("half")
        os.utime(old, (0, 0))
        with atomic_write(tmp_path / "second") as other:
            other.write_text("y")
        assert temporary.exists(), "of a process that runs"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["file", "second", others.name, ".mine.tmp"])
