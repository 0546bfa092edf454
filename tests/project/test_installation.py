"""What an installation for forecasting with saved models has, and that it is enough."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
from packaging.requirements import Requirement

import forecastkit as fk
from forecastkit.utils.exceptions import TABLES, TRAINING

PROJECT = tomllib.loads((Path(fk.__file__).parents[1] / "pyproject.toml").read_text())["project"]
#: Megabytes of the installed packages; pip and setuptools, which venv adds, have 24 more.
MAX_MEGABYTES = 220


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def with_dependencies(names):
    """Distributions of these names and of all that they require."""
    found, waiting = {}, [*names]
    while waiting:
        if (name := normalized(waiting.pop())) in found:
            continue
        found[name] = metadata.distribution(name)
        requirements = map(Requirement, found[name].requires or ())
        waiting += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def test_an_installation_that_forecasts_is_small():
    needed = with_dependencies(Requirement(text).name for text in PROJECT["dependencies"])
    assert not {"keras", "pyarrow", "scikit-learn", "scipy", "tensorflow", "tensorflow-cpu"} & set(needed)
    files = [file.locate() for found in needed.values() for file in found.files or ()]
    own = [path for path in Path(fk.__file__).parent.rglob("*") if "__pycache__" not in path.parts]
    megabytes = sum(Path(path).stat().st_size for path in (*files, *own) if Path(path).is_file()) / 1e6
    assert 50 < megabytes < MAX_MEGABYTES


def test_extras_install_what_missing_packages_are_said_to_need():
    extras = {
        name: {Requirement(text).name for text in listed} for name, listed in PROJECT["optional-dependencies"].items()
    }
    names = {"sklearn": "scikit-learn", "scipy": "scikit-learn"}  # SciPy comes with scikit-learn
    for extra, packages in (("tables", TABLES), ("train", TRAINING)):
        assert {normalized(names.get(name, name)) for name in packages} <= extras[extra]
    assert extras["runtime"] == set()
    assert all("forecastkit" in extras[name] for name in ("train", "cpu", "gpu", "jax"))


#: Forecasts, updates and saves where the packages of the extras cannot be imported.
SMALL_INSTALLATION = f"""
import sys

sys.modules.update(dict.fromkeys({(*TABLES, *TRAINING, "tensorflow")}))
import numpy as np
import pandas as pd
import forecastkit as fk
from forecastkit.cli import main

path, rows = sys.argv[1:]
model, rows = fk.load(path), pd.read_csv(rows, index_col=0, parse_dates=True)
kept = {{"stored": model.predict(), "given": model.predict(history=rows)}}
kept["sample"] = model.sample(3, random_state=0).iloc[:, -1]
kept["updated"] = model.update(rows[-12:]).predict()
np.savez(path + ".npz", **kept)
model.save(path)
for wrong in (lambda: model.plot(), lambda: fk.tune):
    try:
        wrong()
    except fk.utils.exceptions.BackendError as error:
        print(error, file=sys.stderr)
sys.exit(main(["predict", path, "--history", "rows.csv"]))
"""


def test_a_small_installation_forecasts_the_same(tmp_path, hourly):
    model = fk.LinearForecaster(horizon=6, lookback=24).fit(hourly[:-24])
    path, rows = tmp_path / "model.forecast", tmp_path / "rows.csv"
    model.save(path)
    hourly[-60:].to_csv(rows)
    done = subprocess.run(
        [sys.executable, "-c", SMALL_INSTALLATION, str(path), str(rows)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    *python, command = done.stderr.splitlines()
    assert [line for line in python if "pip install 'forecastkit[train]'" in line] == python
    assert len(python) == 2
    assert "needs the package 'pyarrow'" in command
    assert "pip install 'forecastkit[tables]'" in command
    expected = {
        "stored": model.predict(),
        "given": model.predict(history=hourly[-60:]),
        "sample": model.sample(3, random_state=0).iloc[:, -1],
        "updated": model.update(hourly[-12:]).predict(),
    }
    with np.load(f"{path}.npz") as kept:
        for name, values in expected.items():
            np.testing.assert_allclose(kept[name], values.to_numpy(), err_msg=name)
    pd.testing.assert_frame_equal(fk.load(path).predict(), model.predict())
