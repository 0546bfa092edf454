"""The README and the documentation: examples run, commands and names exist, links lead somewhere."""

import datetime
import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from conftest import in_rotation

import forecastkit as fk
from forecastkit.cli import app, main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
#: Pages whose Python blocks stand alone and are run.
RUN = (
    "README.md",
    *(f"docs/{page}.md" for page in ("getting_started", "intervals", "saving", "backbones", "evaluation", "keras")),
)
REFERENCE = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs" / "reference").glob("*.md"))
PYTHON = [
    (page, text)
    for page in (*RUN, *REFERENCE)
    for text in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
]
SHELL = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras, where it writes HDF5
@pytest.mark.parametrize(
    "number", in_rotation(range(len(PYTHON)), [n for n, (p, _) in enumerate(PYTHON) if p not in RUN])
)
def test_python_blocks_run(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page, text = PYTHON[number]
    exec(compile(text, f"{page}, block {number}", "exec"), {"__name__": "example"})


class BashOperator:
    """Stands in for that of Airflow."""

    def __init__(self, task_id, bash_command, cwd, retries=0):
        self.task_id, self.command, self.after = task_id, bash_command, []

    def __rshift__(self, other):
        other.after.append(self)
        last.append(other)


last: list[BashOperator] = []


def test_the_tasks_of_the_airflow_example_run_in_their_order(tmp_path, monkeypatch):
    """Airflow itself is not installed: it is replaced by what the example imports of it."""
    text = (ROOT / "docs" / "saving.md").read_text(encoding="utf-8")
    example = re.search(r"### Airflow.*?```py\n(.*?)```", text, flags=re.DOTALL)[1]
    path = ["airflow", "providers", "standard", "operators", "bash"]
    for count in range(1, len(path) + 1):
        monkeypatch.setitem(sys.modules, ".".join(path[:count]), SimpleNamespace(BashOperator=BashOperator))
    monkeypatch.setitem(sys.modules, "airflow.sdk", SimpleNamespace(dag=lambda **options: lambda function: function))
    monkeypatch.setitem(sys.modules, "pendulum", SimpleNamespace(datetime=datetime.datetime))
    exec(compile(example, "docs/saving.md, Airflow", "exec"), {})
    predict = last.pop()
    (update,) = predict.after
    assert (update.task_id, predict.task_id) == ("update", "predict")
    monkeypatch.chdir(tmp_path)
    data = fk.load_dataset("airpassengers")
    fk.LinearForecaster(horizon=3).fit(data[:-6]).save("model.forecast")
    data[-6:].to_csv("rows_2026-01-02.csv")
    for task in (update, predict):
        assert main(shlex.split(task.command.replace("{{ ds }}", "2026-01-02"))[1:]) == 0
    forecast = (tmp_path / "forecast_2026-01-02.csv").read_text(encoding="utf-8").splitlines()
    assert len(forecast) == 4
    assert forecast[1].startswith("1961-01")


def test_the_reference_has_every_public_name():
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
    listed = set(re.findall(r"^::: [\w.]+\.(\w+)$", pages, flags=re.MULTILINE))
    assert set(fk.__all__) - {"backbones", "metrics", "plots"} <= listed


def test_the_reference_has_an_example_of_every_public_name():
    examples = "".join(text for page, text in PYTHON if page in REFERENCE)
    assert set(fk.__all__) - {"backbones", "metrics", "plots"} <= set(re.findall(r"\bfk\.(\w+)", examples))


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 200


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
    *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        found = (ROOT / page).parent.joinpath(target).resolve()
        assert found.exists(), target
        if page.startswith("docs/"):
            assert found.is_relative_to(ROOT / "docs"), f"{target} is not on the site"
