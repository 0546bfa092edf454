"""A REST service of a saved model. Start it with ``MODEL=model.forecast uvicorn service:app``."""

import json
import os

import pandas as pd
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

import forecastkit as fk
from forecastkit.utils.exceptions import InputError

app = FastAPI(title="Forecasts")
model = fk.load(os.environ["MODEL"])  # once per process; its forecasts are safe in threads


class Request(BaseModel):
    """Rows to forecast after, with the columns of the fit; by default those that the model holds."""

    history: list[dict] | None = None
    quantile_levels: list[float] = Field(default=[0.1, 0.9])


@app.post("/forecast")
def forecast(request: Request) -> list[dict]:
    """Return the forecast as records; FastAPI runs each request in a thread."""
    history = None if request.history is None else pd.DataFrame(request.history)
    try:
        if history is not None:
            time = model.schema_.time_name
            history = history.assign(**{time: pd.to_datetime(history[time])})
        frame = model.forecast(history=history, quantile_levels=request.quantile_levels)
    except (InputError, KeyError) as error:
        raise HTTPException(422, str(error)) from error
    return json.loads(frame.to_json(orient="records", date_format="iso"))
