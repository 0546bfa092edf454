"""Train the network of `forecastkit.PretrainedForecaster` on synthetic series.

    python -m pretraining.train --minutes 60 --out runs/first

Examples are generated in rounds: a pool of recent examples is partly replaced in every round, followed by some training
steps. The folder contains ``state.npz`` (network, optimizer, averaged weights, generator), from which the same command
resumes after an interruption, ``log.jsonl`` (one JSON object per round), and finally ``weights.npz``, for
``PretrainedForecaster(weights="runs/first/weights.npz")``.
"""

import argparse
import json
import os
import time
from dataclasses import fields
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads do not help with small matrices

import numpy as np

from forecastkit.pretrained.calibration import calibrated
from forecastkit.pretrained.forward import HIGH, LOW, MEDIAN, forward
from forecastkit.pretrained.weights import save_weights
from forecastkit.training.pretraining import MixtureTraining, Settings, joined
from forecastkit.utils.atomic_write import atomic_write
from pretraining.corpus import Corpus
from pretraining.examples import batch

#: Per round: new examples and training steps. An example is used three to four times; with ten uses the network
#: memorizes examples and its quantiles become too narrow.
NEW, STEPS_A_ROUND = 1024, 14
#: Rounds of examples in the pool before the first step.
FIRST = 16
#: Number of held-out examples of each kind, and rounds between validations.
HELD_OUT, EVERY = 2048, 20


class Training:
    """A training run in a folder, new or resumed from its checkpoint."""

    def __init__(self, options):
        self.options, self.folder = options, Path(options.out)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rng = np.random.default_rng(options.seed)
        names = Settings.__dataclass_fields__
        settings = Settings(**{name: value for name, value in vars(options).items() if name in names})
        self.network = MixtureTraining(settings, batch(self.rng, 8))
        self.seconds, self.series = 0.0, 0
        if options.start:
            with np.load(options.start) as saved:
                self.network.start_from({name: saved[name] for name in self.network.average})
        if (self.folder / "state.npz").exists():
            self.restore()
        self.corpus = Corpus(options.corpus) if options.corpus else None
        self.held_out = {"synthetic": self.held_out_of(batch)}
        if options.corpus:
            self.held_out["real"] = self.held_out_of(Corpus(options.corpus, held_out=True).batch)

    def held_out_of(self, draw) -> dict[str, np.ndarray]:
        """Return examples that are never trained on."""
        return joined([draw(np.random.default_rng([self.options.seed, i])) for i in range(HELD_OUT // 64)])

    def examples(self) -> dict[str, np.ndarray]:
        """Draw new examples, synthetic or real."""
        is_real = self.corpus is not None and self.rng.random() < self.options.real
        return (self.corpus.batch if is_real else batch)(self.rng, 64)

    def restore(self):
        """Restore network, optimizer, averages and generator from the checkpoint."""
        network = self.network
        with np.load(self.folder / "state.npz") as saved:
            network.start_from({name[2:]: saved[name] for name in saved if name.startswith("n/")})
            network.average = {name[2:]: saved[name] for name in saved if name.startswith("a/")}
            for place, variable in enumerate(network.optimizer.variables):
                variable.assign(saved[f"o/{place}"])
            state = json.loads(str(saved["state"]))
        self.rng.bit_generator.state = state["rng"]
        self.seconds, network.steps, self.series = state["seconds"], state["steps"], state["series"]

    def checkpoint(self):
        """Write the checkpoint atomically."""
        network = self.network
        arrays = {f"n/{name}": values for name, values in network.model.arrays().items()}
        arrays |= {f"a/{name}": values for name, values in network.average.items()}
        arrays |= {f"o/{place}": np.asarray(v) for place, v in enumerate(network.optimizer.variables)}
        state = {"seconds": self.seconds, "steps": network.steps, "series": self.series}
        state["rng"] = self.rng.bit_generator.state
        with atomic_write(self.folder / "state.npz") as path, open(path, "wb") as file:
            np.savez(file, state=json.dumps(state), **arrays)

    def round(self) -> dict:
        """Generate new examples and run some training steps."""
        before, made, pool = time.process_time(), 0, self.network.pool
        wanted = NEW if pool.filled else FIRST * NEW
        while made < wanted:
            examples = self.examples()
            made += len(examples["target"])
            pool.add(examples)
        between = time.process_time()
        loss = self.network.train(self.rng, STEPS_A_ROUND, self.seconds / (60 * self.options.minutes))
        self.series += made
        after = time.process_time()
        self.seconds += after - before
        found = {
            "seconds": round(self.seconds, 1),
            "steps": self.network.steps,
            "series": self.series,
            "loss": round(loss, 4),
            "making": round(between - before, 2),
            "training": round(after - between, 2),
        }
        return found | (self.validation() if self.network.steps // STEPS_A_ROUND % EVERY == 0 else {})

    def validation(self) -> dict:
        """Return errors relative to the seasonal naive and the coverage at 80 % on held-out examples.

        Errors are geometric means over examples. With a corpus, figures for its held-out series are included.
        """
        found = {}
        for kind, examples in self.held_out.items():
            quantiles, target = forward(self.network.average, examples), examples["target"]
            own, naive = (_errors(target, one) for one in (quantiles[..., MEDIAN], examples["forecasts"][..., 1]))
            inside = (target >= quantiles[..., LOW]) & (target <= quantiles[..., HIGH])
            found[f"{kind}_relative"] = round(float(np.exp(np.mean(np.log(own / naive)))), 4)
            found[f"{kind}_coverage"] = round(float(inside[~np.isnan(target)].mean()), 3)
        return found

    def run(self):
        """Run rounds until the CPU minutes are used, with a checkpoint every half minute, and export the weights."""
        last = time.monotonic()
        with open(self.folder / "log.jsonl", "a", encoding="utf-8") as log:
            while self.seconds < 60 * self.options.minutes:
                print(json.dumps(self.round()), file=log, flush=True)
                if time.monotonic() - last > 30:
                    self.checkpoint()
                    self.export()
                    last = time.monotonic()
        self.checkpoint()
        self.export()

    def export(self):
        """Write the averaged weights for `PretrainedForecaster`, with widths calibrated on held-out examples."""
        about = {"steps": self.network.steps, "series": self.series, "cpu_seconds": round(self.seconds)}
        about |= {name: value for name, value in vars(self.options).items() if name not in ("out", "start", "corpus")}
        about["real"] = self.options.real if self.options.corpus else 0.0
        save_weights(self.folder / "weights.npz", calibrated(self.network.average, list(self.held_out.values())), about)


def _errors(target, forecast):
    """Return the mean absolute error of each example, plus a hundredth of the unit."""
    return np.nanmean(np.abs(target - forecast), axis=1) + 0.01


def parser() -> argparse.ArgumentParser:
    """Return the command-line parser."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--minutes", type=float, default=60, help="CPU minutes, checkpoints included")
    made.add_argument("--out", default="runs/pretraining", help="folder of checkpoints, log and weights")
    made.add_argument("--start", help="weights to begin with instead of random ones")
    made.add_argument("--corpus", help="file of real series, written by pretraining.corpus")
    made.add_argument("--real", type=float, default=0.3, help="fraction of real series in the examples")
    for field in fields(Settings):
        made.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    return made


if __name__ == "__main__":
    Training(parser().parse_args()).run()
