"""The notebooks run as they are, and what is kept of their outputs is small and says nothing of anyone's machine."""

import base64
import os
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def pictures(notebook):
    """The PNGs among the outputs, as bytes."""
    found = [output["data"]["image/png"] for output in outputs(notebook) if "image/png" in output.get("data", {})]
    return [base64.b64decode(picture) for picture in found]


#: Warnings that a notebook is about: a series not seen at fit, and a day with an hour that the file lacks.
EXPECTED = ("with a level not seen at fit", "have no row")


def test_there_is_a_quickstart():
    assert "quickstart" in [path.stem for path in NOTEBOOKS]


@pytest.mark.rotated
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel has one of its own
    kept = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(fresh, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    assert len(pictures(fresh)) == len(pictures(kept)) > 0
    assert list(tmp_path.iterdir()) == []
    complaints = [output["text"] for output in outputs(fresh) if output.get("name") == "stderr"]
    complaints = [text for text in complaints if not any(expected in text for expected in EXPECTED)]
    assert not [text for text in complaints if "Warning" in text or "WARNING:tensorflow" in text]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_kept_is_executed_and_small(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(len(picture) < 100_000 for picture in pictures(notebook))
    assert path.stat().st_size < 400_000
    assert not [word for word in ("/home/", "/tmp/", "/Users/", "Traceback") if word in path.read_text()]
