"""Fitting with progress lines, and saving of the state after Ctrl-C."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from forecastkit.cli.console import Reporter
from forecastkit.cli.interrupts import STOPPED
from forecastkit.cli.read_data import Data
from forecastkit.data.panel import Panel
from forecastkit.utils.exceptions import InputError

#: Factor of epochs in the advice for a training that was still improving.
MORE_EPOCHS = 3
#: Largest number of leaderboard lines.
MAX_LINES = 8


class Stopped(KeyboardInterrupt):
    """Raised after Ctrl-C during a fit.

    Attributes
    ----------
    ready : str
        Description of what can be saved; empty if nothing can.
    """

    def __init__(self, ready: str):
        super().__init__(ready)
        self.ready = ready


def fit_model(report: Reporter, forecaster, panel: Panel) -> None:
    """Fit with a progress line, without changing the forecaster's callbacks.

    Raises
    ------
    Stopped
        After Ctrl-C.
    """
    network = find_network(forecaster)
    if network is None:
        _fit_with_lines(report, forecaster, panel)
        return
    from forecastkit.cli.progress import EpochProgress

    with report.progress("epoch", "starting") as show:
        progress = EpochProgress(show)
        network.set_params(callbacks=[progress])
        try:
            forecaster.fit(panel)
        except KeyboardInterrupt:
            ready = progress.best and hasattr(forecaster, "history_")
            raise Stopped(f"the best weights so far, of epoch {progress.best}," if ready else "") from None
        finally:
            network.set_params(callbacks=None)


def _fit_with_lines(report: Reporter, forecaster, panel: Panel) -> None:
    """Fit a forecaster without epochs; for ``auto`` print its trials."""
    try:
        forecaster.fit(panel)
    except KeyboardInterrupt:
        raise Stopped("the members that were ready" if hasattr(forecaster, "history_") else "") from None
    if hasattr(type(forecaster), "leaderboard_"):
        print_leaderboard(report, forecaster)


def print_leaderboard(report: Reporter, forecaster) -> None:
    """Print the best candidates of ``auto``, one per line: fold errors and weights.

    Parameters
    ----------
    report : Reporter
    forecaster : AutoForecaster
    """
    table = forecaster.leaderboard_
    totals = np.bincount(forecaster.groups_, forecaster.weights_, minlength=len(forecaster.names_))
    weights = dict(zip(forecaster.names_, totals, strict=True))
    # Members first: they are what the forecast consists of.
    table = table.loc[np.argsort(~table["member"].to_numpy(), kind="stable")]
    for place, row in enumerate(table.head(MAX_LINES).itertuples()):
        error = f"{row.score:.3f} of the seasonal naive's error" if np.isfinite(row.score) else "not tried"
        weight = f"weight {100 * weights[row.forecaster]:.0f} %" if row.member else "left out"
        report.info("tried" if place == 0 else "", f"{row.forecaster:<22} {error:<36} {weight}")


def print_recipe(report: Reporter, forecaster) -> None:
    """Print the recipe of a network, and whether it improves on the linear forecast."""
    fitted = (getattr(forecaster, "forecasters_", None) or [forecaster])[0]
    recipe = getattr(fitted, "recipe_", None)
    if recipe is None:
        return
    transform = recipe["target_transform"] or "none"
    said = f"normalization {recipe['normalization']}, target transform {transform}, lookback {recipe['lookback']}"
    kept, path = recipe.get("correction"), "the linear forecast"
    if recipe.get("smoothing"):
        path += " averaged with exponential smoothing"
    if kept:
        said += f"; {100 * kept:.0f} % of the corrections of {path}"
    elif kept is not None:
        said += f"; {path} alone: no clear gain of the network on the validation block"
    report.info("recipe", said)


def find_network(forecaster):
    """Return the forecaster or its first member if it is trained by epochs; None for ``auto``."""
    if hasattr(type(forecaster), "leaderboard_"):
        return None
    members = getattr(forecaster, "forecasters", None) or [forecaster]
    return members[0] if "callbacks" in members[0].get_params(deep=False) else None


def warn_of_last_epoch(report: Reporter, forecaster) -> None:
    """Report that the training was cut while it was still improving, and how to continue."""
    fitted = (getattr(forecaster, "forecasters_", None) or [forecaster])[0]
    record = getattr(fitted, "training_history_", None)
    if find_network(forecaster) is None or record is None or len(record.loss) < 2:
        return
    epochs, limits = len(record.loss), ("epochs", "time limit")
    # An adaptive plan lowers the learning rate before it ends: its last epochs need not be the best ones.
    cut = record.decay_reason in limits or (record.best_epoch + 1 == epochs and record.ended in limits)
    if not cut:
        return
    limit = "time limit" in (record.decay_reason, record.ended)
    remedy = "pass a longer --time-limit" if limit else f"pass --epochs {MORE_EPOCHS * epochs}"
    report.warning(f"training ended after {epochs} epochs while it was still improving; {remedy} to train longer")


def refit_or_update(report: Reporter, tested, data: Data, refit: Callable[[], Any] | None):
    """Return the forecaster to save: the result of `refit` on all rows, or the tested one with them as its history.

    It is the tested one without `refit`, and if the fit on all rows is stopped by Ctrl-C or refused.
    """
    if refit is None:
        report.info("history", "all rows; the model is fitted on the rows before the test (--no-refit)")
        return tested.update(data.panel)
    began = time.monotonic()
    try:
        fitted = refit()
    except (KeyboardInterrupt, InputError) as error:
        reason = "stopped by Ctrl-C" if isinstance(error, KeyboardInterrupt) else str(error)
        report.warning(f"the model is fitted on the rows before the test only: the fit on all rows was {reason}")
        return tested.update(data.panel)
    report.info("refit", f"on all rows, the test rows included, {time.monotonic() - began:.0f} s")
    return fitted


def save_interrupted(report: Reporter, forecaster, data: Data, path: Path | None, ready: str) -> NoReturn:
    """Save the available state after Ctrl-C to ``--out``, and exit."""
    if ready and path is not None:
        forecaster.update(data.panel).save(path)
        report.warning(f"stopped: {ready} are in {path}; they were not tested")
    elif ready:
        report.warning("stopped: nothing was written; with --out FILE the best weights so far are saved")
    else:
        report.warning("stopped before the first epoch was over: nothing was written")
    network = find_network(forecaster)
    if ready and network is not None and network.resume is not None:
        report.info("resume", f"the same command continues from the epochs in {network.resume}")
    raise SystemExit(STOPPED)
