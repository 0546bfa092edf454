"""When and how to average the linear path of networks with exponential smoothing, on development sets.

Without training a network, the path of a GRU with defaults is fitted before two blocks of every development set, those
of linear_path.py. A JSON line per set and block holds MASE relative to the seasonal naive: of the linear forecaster, of
the path alone (``never``), averaged in all cases (``always``), and averaged by the rule with the parameters in use
(``now``) and with others.
"""

import argparse
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import accuracy
import blocks
from interval_rules import load
from linear_path import COLUMNS, backtested, forecasts, mase
from suite import scores, sets

#: Constants of `forecastkit.networks.smoothing_maps` and of `linear_recipes` that replace those in use.
VARIANTS = {
    "now": {},
    "always": {"ENOUGH": 10**9},
    "validation alone": {"ENOUGH": 0},
    "damping 0.9": {"TRENDS": ((0.0, 0.9), (0.2, 0.9))},
    "damping 0.95": {"TRENDS": ((0.0, 0.95), (0.2, 0.95))},
    "two cycles": {"CYCLES": 2},
    "other levels": {"LEVELS": (0.1, 0.4, 0.9)},
    "temperature 0.1": {"TEMPERATURE": 0.1},
    "temperature 0.4": {"TEMPERATURE": 0.4},
}


def main(argv=None) -> None:
    args = arguments(argv)
    done = {(line["set"], line["block"]) for line in accuracy.lines_of(args.out)}
    for about in sets.SETS:
        for block in ("validation", "earlier"):
            if about.development and about.name in (args.sets or [about.name]) and (about.name, block) not in done:
                task = load(about, args.data, sets.MAX_ROWS, block)
                line = {"set": about.name, "block": block, "linear": mase(task, forecasts(task, "linear")[0])}
                accuracy.write_line(args.out, {**line, **measured(task), **accuracy.environment()})
                print(accuracy.lines_of(args.out)[-1], flush=True)
    show(accuracy.lines_of(args.out))


def measured(task: sets.Task) -> dict:
    """Errors of the path under each variant, and for which of them it is averaged."""
    fitted = path_class()(horizon=task.about.horizon, **COLUMNS).fit(task.train)
    alone, found = replace(fitted.path_, smoothing=None), {}
    for name, smoothing in {"never": None, **fitted.smoothings_}.items():
        fitted.path_ = replace(alone, smoothing=smoothing)
        with replaced(VARIANTS.get(name, {})):
            found[name] = mase(task, backtested(task, fitted))
    return {"path": found, "averaged": [name for name, smoothing in fitted.smoothings_.items() if smoothing]}


def path_class() -> type:
    """A GRU whose forecasts are those of its path, which is fitted again on all rows."""
    import forecastkit as fk
    from forecastkit.data.windows import crop
    from forecastkit.uncertainty.forecasts import PointForecast

    class PathForecaster(fk.GRUForecaster):
        def _fit(self, context):
            self._take_recipe(context)
            self.path_, self.smoothings_ = context.linear_path, {}
            alone, buffers = replace(self.path_, smoothing=None), self._buffers(context)
            for name, constants in VARIANTS.items():
                with replaced(constants):
                    averaged = alone.averaged(self, context, buffers, self.lookback_)
                self.smoothings_[name] = averaged.smoothing

        def _finish(self, context):
            self.path_ = self.path_.refit(self._buffers(context), context.panel, context.stop)

        def _forecast(self, panel, origins):
            panel, origins = crop(panel, origins, self.lookback_, self.horizon_)
            buffers = self.scaler_.buffers(panel, self.lookback_, self.horizon_)
            return PointForecast(self.scaler_.restore(self.path_.predict(buffers, origins), panel, origins))

        def _is_trained(self):
            return True

    return PathForecaster


@contextmanager
def replaced(constants: dict):
    """Replace constants of the modules that have them."""
    from forecastkit.forecasters import linear_recipes
    from forecastkit.networks import smoothing_maps

    modules = [one for one in (linear_recipes, smoothing_maps) for name in constants if hasattr(one, name)]
    before = {name: getattr(module, name) for module, name in zip(modules, constants, strict=True)}
    for values in (constants, before):
        for module, (name, value) in zip(modules, values.items(), strict=True):
            setattr(module, name, value)
        smoothing_maps.SmoothingMaps.of.cache_clear()
        if values is constants:
            yield


def show(lines: list[dict]) -> None:
    """Print geometric means and largest values relative to linear forecasts, and the means without one set."""
    for name in lines[0]["path"]:
        ratios = {(line["set"], line["block"]): line["path"][name] / line["linear"] for line in lines}
        without = [
            scores.geometric_mean([value for (other, _), value in ratios.items() if other != one])
            for one in {line["set"] for line in lines}
        ]
        mean = scores.geometric_mean(list(ratios.values()))
        print(f"{name}: {mean:.4f} of linear, at most {max(ratios.values()):.3f}, without one set {min(without):.4f} "
              f"to {max(without):.4f}")  # fmt: skip


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files that are not bundled")
    parser.add_argument("--sets", type=accuracy.names, help="default: all development sets")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    return parser.parse_args(argv)


if __name__ == "__main__":
    blocks.use_checkout()
    main()
