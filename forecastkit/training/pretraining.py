"""Training of the pre-trained network on a pool of recent examples."""

from dataclasses import dataclass

import keras
import numpy as np

from forecastkit.networks.candidate_mixture import CandidateMixture, pinball
from forecastkit.pretrained.candidates import NAMES

#: Fraction of candidates hidden in training, and standard deviation of noise added to context features.
HIDDEN, NOISE = 0.05, 0.05
#: Steps of the warm-up, smallest learning rate relative to the largest one, and decay of the averaged weights.
WARM_UP, LAST_RATE, KEEP = 200, 0.02, 0.95


@dataclass(frozen=True)
class Settings:
    """Size of the network and hyperparameters of its training."""

    units: int = 192  #: Width of the hidden layers
    recurrent: int = 64  #: Width of the recurrent body
    transformer: int = 0  #: Width of the Transformer in its place; 0 for none
    batch: int = 256  #: Examples of a gradient step
    pool: int = 120_000  #: Number of recent examples that are kept
    learning_rate: float = 2e-3  #: The largest one
    dropout: float = 0.1
    decay: float = 0.03  #: Weight decay
    seed: int = 0


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


class MixtureTraining:
    """The network, built by any examples, with its optimizer, its averaged weights and its pool of examples."""

    def __init__(self, settings: Settings, example: dict[str, np.ndarray]):
        self.settings = settings
        self.model = CandidateMixture(
            len(NAMES),
            settings.units,
            settings.recurrent,
            settings.dropout,
            settings.seed,
            settings.transformer,
        )
        self.optimizer = keras.optimizers.AdamW(settings.learning_rate, weight_decay=settings.decay, clipnorm=1.0)
        self.model.compile(self.optimizer, loss=pinball, jit_compile=False)
        self.model({name: values for name, values in example.items() if name != "target"})
        self.optimizer.build(self.model.trainable_variables)
        self.pool, self.average, self.steps = Pool(settings.pool), self.model.arrays(), 0

    def start_from(self, weights: dict[str, np.ndarray]):
        """Continue from these weights."""
        self.model.set_arrays(weights)
        self.average = self.model.arrays()

    def train(self, rng, steps: int, done: float) -> float:
        """Take gradient steps and average the weights; return the last loss.

        The learning rate depends on `done`, the fraction of the training that is finished.
        """
        warm = min((self.steps + 1) / WARM_UP, 1.0)
        falling = LAST_RATE + (1 - LAST_RATE) * np.cos(np.pi / 2 * min(done, 1.0)) ** 2
        self.optimizer.learning_rate = self.settings.learning_rate * warm * falling
        self.model.reset_metrics()
        for _ in range(steps):
            loss = self.model.train_on_batch(*self.pool.sample(rng, self.settings.batch))
        self.steps += steps
        keep = min(KEEP, self.steps / (self.steps + 10 * steps))
        for name, values in self.model.arrays().items():
            self.average[name] = keep * self.average[name] + (1 - keep) * values
        return float(loss)
