"""The examples of the docs that serve a saved model: a REST service, under load, and an MLflow model."""

import importlib.util
import json
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def saved(tmp_path_factory, hourly):
    """The path of a saved model of two hourly series."""
    path = tmp_path_factory.mktemp("served") / "model.forecast"
    fk.LinearForecaster(horizon=6, lookback=24, recipes=1).fit(hourly).save(path)
    return path


@pytest.fixture(scope="module")
def service(saved):
    """The address of the example service, run by uvicorn in a thread."""
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL", str(saved))
        spec = importlib.util.spec_from_file_location("service", EXAMPLES / "service.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    server = uvicorn.Server(uvicorn.Config(module.app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/forecast"
    server.should_exit = True
    thread.join()


def post(address, body):
    """Status and content of the answer to a request."""
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def history_of(hourly, number):
    """The last rows as a client sends them, other values for each client."""
    rows = (hourly.tail(48) + number).reset_index()
    return rows.assign(time=rows["time"].astype(str)).to_dict("records")


def test_fifty_clients_at_once_get_their_own_forecasts(service, saved, hourly):
    model = fk.load(saved)
    with ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(lambda number: post(service, {"history": history_of(hourly, number)}), range(50)))
    assert {status for status, _ in answers} == {200}
    for number in range(50):
        expected = model.forecast(history=hourly.tail(48) + number, quantile_levels=[0.1, 0.9])
        found = pd.DataFrame(answers[number][1])
        np.testing.assert_allclose(found[["forecast", "q0.1"]], expected[["forecast", "q0.1"]])


def test_the_service_forecasts_from_the_stored_rows_and_refuses_others(service, saved, hourly):
    status, answer = post(service, {})
    assert status == 200
    assert answer[0]["forecast"] == pytest.approx(fk.load(saved).forecast()["forecast"][0])
    status, answer = post(service, {"quantile_levels": [2.0]})
    assert (status, "quantile" in answer["detail"]) == (422, True)
    rows = [{"time": row["time"], "north": row["north"]} for row in history_of(hourly, 0)]
    status, answer = post(service, {"history": rows})
    assert (status, "'south'" in answer["detail"]) == (422, True)


@pytest.mark.filterwarnings("ignore")  # of MLflow and what it imports
def test_mlflow_loads_and_runs_a_saved_model(tmp_path, saved, hourly):
    mlflow = pytest.importorskip("mlflow")
    code, needed = str(EXAMPLES / "mlflow_model.py"), ["forecastkit"]
    mlflow.pyfunc.save_model(
        tmp_path / "served", python_model=code, artifacts={"model": str(saved)}, pip_requirements=needed
    )
    served, model = mlflow.pyfunc.load_model(tmp_path / "served"), fk.load(saved)
    pd.testing.assert_frame_equal(served.predict(pd.DataFrame()), model.forecast())
    rows = hourly.tail(60) + 1
    pd.testing.assert_frame_equal(served.predict(rows), model.forecast(history=rows))
