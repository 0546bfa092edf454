"""What the README shows works as shown."""

import re
import shlex
from pathlib import Path

import pytest
import typer

import forecastkit as fk
from forecastkit.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
SHELL = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python_blocks_run(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(PYTHON[number], f"README block {number}", "exec"), {"__name__": "readme"})


def test_commands_and_flags_exist():
    calls = [re.split(r"&& ?", line)[-1].partition("#")[0] for line in SHELL]
    calls = [shlex.split(call) for call in calls if re.match(r"(\.venv/bin/)?forecast ", call)]
    assert len(calls) >= 4
    commands = typer.main.get_command(app).commands
    for _, command, *arguments in calls:
        flags = {option for parameter in commands[command].params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= flags


def test_commands_of_the_table_are_all_there():
    named = set(re.findall(r"^\| `forecast (\w+)", README, flags=re.MULTILINE))
    assert named == set(typer.main.get_command(app).commands)


def test_names_in_the_text_exist():
    for name in re.findall(r"`(?:fk\.)?(\w+Forecaster)", README):
        assert name in fk.__all__


PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target
