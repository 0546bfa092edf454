"""Help, version and flags."""

import subprocess
import sys
import time

import pytest
import typer

from forecastkit.cli import app
from forecastkit.cli.flags import COLUMN_ROLES, PARAMETERS, as_flags
from forecastkit.cli.model_names import loss_names


@pytest.mark.parametrize(
    "command",
    [
        "",
        "train",
        "predict",
        "future",
        "export",
        "update",
        "monitor",
        "backtest",
        "audit",
        "tune",
        "inspect",
        "datasets",
    ],
)
def test_help_is_there_for_every_command(run, command):
    command = tuple(command.split())
    out = run(*command, "--help").out
    assert out.startswith(f"Usage: {' '.join(('forecast', *command))}")
    assert "Exit codes" in out or "forecast " + command[0] in out


def test_help_is_light():
    code = (
        "import sys; from forecastkit.cli import main; main(['train', '--help']); print(*sys.modules, file=sys.stderr)"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.perf_counter() - began < 5
    heavy = {"tensorflow", "keras", "sklearn", "pandas", "numpy", "rich", "matplotlib"}
    assert not heavy & {name.split(".")[0] for name in done.stderr.split()}


def test_the_flags_are_constructor_parameters():
    import forecastkit as fk

    assert set(PARAMETERS) <= set(fk.GRUForecaster._get_param_names())
    assert set(COLUMN_ROLES) <= set(fk.LinearForecaster._get_param_names())


def test_help_names_every_model_and_loss(run):
    import forecastkit as fk
    from forecastkit.networks.heads import LOSSES

    out = "".join(run("train", "--help").out.split())
    assert ",".join(LOSSES) in out
    for name in fk.backbones.names():
        assert name in out
    assert "ensemble" in out
    assert "auto" in out
    assert loss_names() == LOSSES


@pytest.mark.parametrize("command", sorted(typer.main.get_command(app).commands))
def test_help_uses_established_terms(run, command):
    out = " ".join(run(command, "--help").out.split())
    for word in ("parted by", "part of them", "what came", "range", "picture", "goes on", "ahead of", "said"):
        assert word not in out, word
    for line in typer.main.get_command(app).commands[command].params:
        assert line.help, line.name
        assert line.help[0].isupper(), line.help
        assert line.help.rstrip(")").endswith("."), line.help


def test_no_function_of_the_command_line_has_many_parameters():
    import ast
    from pathlib import Path

    import forecastkit.cli

    for path in Path(forecastkit.cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name != "__init__":
                count = len(node.args.args) + len(node.args.kwonlyargs) + len(node.args.posonlyargs)
                assert count <= 8, (path.name, node.name)


def test_version(run):
    assert run("--version").out.startswith("forecastkit ")


def test_messages_name_flags():
    assert as_flags("Name it with series_id=.") == "Name it with --series-id."
    assert as_flags("target='Unit sales' and time='t' do") == "--target 'Unit sales' and --time t do"
    assert as_flags("static=rider uses it") == "--static rider uses it"
    assert as_flags("Pass a shorter horizon= or more.") == "Pass a shorter --horizon or more."
