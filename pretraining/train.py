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
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads do not help with small matrices

import keras
import numpy as np

from forecastkit.networks.candidate_mixture import HIGH, LOW, CandidateMixture, pinball
from forecastkit.pretrained.candidates import NAMES
from forecastkit.pretrained.forward import MEDIAN, forward
from forecastkit.pretrained.weights import save_weights
from forecastkit.utils.atomic_write import atomic_write
from pretraining.examples import batch

#: Per round: new examples, training steps, and decay of the averaged weights. An example is used three to four times;
#: with ten uses the network memorizes examples and its quantiles become too narrow.
NEW, STEPS_A_ROUND, KEEP = 1024, 14, 0.95
#: Rounds of examples in the pool before the first step.
FIRST = 16
#: Fraction of candidates hidden in training, and standard deviation of noise added to context features.
HIDDEN, NOISE = 0.05, 0.05
#: Number of held-out examples, and rounds between validations.
HELD_OUT, EVERY = 2048, 20


class Pool:
    """The latest examples, a ring buffer of at most `size`."""

    def __init__(self, size: int):
        self.size, self.arrays, self.filled, self.place = size, {}, 0, 0

    def add(self, examples: dict[str, np.ndarray]):
        """Replace the oldest examples."""
        number = len(examples["target"])
        if not self.arrays:
            self.arrays = {k: np.empty((self.size, *v.shape[1:]), v.dtype) for k, v in examples.items()}
        places = (self.place + np.arange(number)) % self.size
        for name, values in examples.items():
            self.arrays[name][places] = values
        self.place = (self.place + number) % self.size
        self.filled = min(self.size, self.filled + number)

    def sample(self, rng, number: int):
        """Return inputs and targets of random examples, with some candidates hidden and noise added."""
        places = rng.integers(self.filled, size=number)
        taken = {name: values[places] for name, values in self.arrays.items()}
        kept = rng.random(taken["available"].shape) >= HIDDEN
        kept[:, 0] = True
        taken["available"] = taken["available"] * kept
        taken["context"] = taken["context"] + rng.normal(0, NOISE, taken["context"].shape).astype("float32")
        return taken, taken.pop("target")


def joined(examples: list[dict]) -> dict[str, np.ndarray]:
    """Concatenate batches of examples."""
    return {name: np.concatenate([one[name] for one in examples]) for name in examples[0]}


class Training:
    """A training run in a folder, new or resumed from its checkpoint."""

    def __init__(self, options):
        self.options, self.folder = options, Path(options.out)
        self.folder.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(options.seed)
        self.rng = np.random.default_rng(options.seed)
        self.model = CandidateMixture(len(NAMES), options.units, options.recurrent, options.dropout)
        self.optimizer = keras.optimizers.AdamW(options.learning_rate, weight_decay=options.decay, clipnorm=1.0)
        self.model.compile(self.optimizer, loss=pinball, jit_compile=False)
        first = batch(self.rng, 8)
        first.pop("target")
        self.model(first)
        self.optimizer.build(self.model.trainable_variables)
        self.average, self.seconds, self.steps, self.series = self.model.arrays(), 0.0, 0, 0
        if options.start:
            with np.load(options.start) as saved:
                self.model.set_arrays({name: saved[name] for name in self.model.arrays()})
            self.average = self.model.arrays()
        if (self.folder / "state.npz").exists():
            self.restore()
        self.pool = Pool(options.pool)
        self.held_out = joined([batch(np.random.default_rng([options.seed, i])) for i in range(HELD_OUT // 64)])

    def restore(self):
        """Restore network, optimizer, averages and generator from the checkpoint."""
        with np.load(self.folder / "state.npz") as saved:
            self.model.set_arrays({name[2:]: saved[name] for name in saved if name.startswith("n/")})
            self.average = {name[2:]: saved[name] for name in saved if name.startswith("a/")}
            for place, variable in enumerate(self.optimizer.variables):
                variable.assign(saved[f"o/{place}"])
            state = json.loads(str(saved["state"]))
        self.rng.bit_generator.state = state["rng"]
        self.seconds, self.steps, self.series = state["seconds"], state["steps"], state["series"]

    def checkpoint(self):
        """Write the checkpoint atomically."""
        arrays = {f"n/{name}": values for name, values in self.model.arrays().items()}
        arrays |= {f"a/{name}": values for name, values in self.average.items()}
        arrays |= {f"o/{place}": np.asarray(v) for place, v in enumerate(self.optimizer.variables)}
        state = {name: getattr(self, name) for name in ("seconds", "steps", "series")}
        state["rng"] = self.rng.bit_generator.state
        with atomic_write(self.folder / "state.npz") as path, open(path, "wb") as file:
            np.savez(file, state=json.dumps(state), **arrays)

    def round(self) -> dict:
        """Generate new examples and run some training steps."""
        before, made = time.process_time(), 0
        wanted = NEW if self.pool.filled else FIRST * NEW
        while made < wanted:
            examples = batch(self.rng, 64)
            made += len(examples["target"])
            self.pool.add(examples)
        between = time.process_time()
        done = min(self.seconds / (60 * self.options.minutes), 1.0)
        warm = min((self.steps + 1) / 200, 1.0)
        self.optimizer.learning_rate = self.options.learning_rate * warm * (0.02 + 0.98 * np.cos(np.pi / 2 * done) ** 2)
        self.model.reset_metrics()
        for _ in range(STEPS_A_ROUND):
            loss = self.model.train_on_batch(*self.pool.sample(self.rng, self.options.batch))
        self.steps, self.series = self.steps + STEPS_A_ROUND, self.series + made
        keep = min(KEEP, self.steps / (self.steps + 10 * STEPS_A_ROUND))
        for name, values in self.model.arrays().items():
            self.average[name] = keep * self.average[name] + (1 - keep) * values
        after = time.process_time()
        self.seconds += after - before
        found = {
            "seconds": round(self.seconds, 1),
            "steps": self.steps,
            "series": self.series,
            "loss": round(float(loss), 4),
            "making": round(between - before, 2),
            "training": round(after - between, 2),
        }
        return found | (self.validation() if self.steps // STEPS_A_ROUND % EVERY == 0 else {})

    def validation(self) -> dict:
        """Return the geometric mean of errors relative to seasonal naive on held-out examples, and the coverage at 80
        %.
        """
        quantiles, target = forward(self.average, self.held_out), self.held_out["target"]

        def error(forecast):
            return np.nanmean(np.abs(target - forecast), axis=1) + 0.01

        relative = np.exp(np.mean(np.log(error(quantiles[..., MEDIAN]) / error(self.held_out["forecasts"][..., 1]))))
        inside = (target >= quantiles[..., LOW]) & (target <= quantiles[..., HIGH])
        return {"relative": round(float(relative), 4), "held": round(float(inside[~np.isnan(target)].mean()), 3)}

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
        """Write the averaged weights for `PretrainedForecaster`."""
        about = {"steps": self.steps, "series": self.series, "cpu_seconds": round(self.seconds)}
        about |= {name: value for name, value in vars(self.options).items() if name not in ("out", "start")}
        save_weights(self.folder / "weights.npz", self.average, about)


def parser() -> argparse.ArgumentParser:
    """Return the command-line parser."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--minutes", type=float, default=60, help="CPU minutes, checkpoints included")
    made.add_argument("--out", default="runs/pretraining", help="folder of checkpoints, log and weights")
    made.add_argument("--start", help="weights to begin with instead of random ones")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--units", type=int, default=192)
    made.add_argument("--recurrent", type=int, default=64)
    made.add_argument("--batch", type=int, default=256)
    made.add_argument("--pool", type=int, default=120_000, help="examples that are kept")
    made.add_argument("--learning-rate", type=float, default=2e-3)
    made.add_argument("--dropout", type=float, default=0.1)
    made.add_argument("--decay", type=float, default=0.03, help="weight decay")
    return made


if __name__ == "__main__":
    Training(parser().parse_args()).run()
