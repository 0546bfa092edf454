"""What accuracy.py measured on ETTh1, horizon 96: a row per network, never copied by hand."""

import statistics
from dataclasses import dataclass

TASK = {"dataset": "ETTh1", "horizon": 96, "lookback": 528, "parameters": {}}


@dataclass(frozen=True)
class Row:
    """A network's error over its seeds, and its weights."""

    model: str
    mse: float
    spread: float
    seeds: int
    weights: int | None

    def __str__(self):
        spread = f" ± {self.spread:.3f}" if self.seeds > 1 else ""
        return f"{named(self.model)} {self.mse:.3f}{spread}"


def summary(lines: list[dict]) -> dict[str, Row]:
    """Rows by model, from lines without settings of their own."""
    groups: dict[str, list] = {}
    for line in lines:
        if all(line.get(key) == value for key, value in TASK.items()):
            groups.setdefault(line["model"], []).append(line)
    return {name: row(name, group) for name, group in groups.items()}


def row(name: str, group: list[dict]) -> Row:
    errors = [line["mse"] for line in group]
    spread = statistics.stdev(errors) if len(errors) > 1 else 0.0
    return Row(name, statistics.mean(errors), spread, len(errors), group[0].get("weights"))


#: Names as they are written in text.
NAMES = {
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "min_gru": "minGRU",
    "min_lstm": "minLSTM",
    "mamba": "Mamba",
    "transformer": "Transformer",
    "transformer:none": "Transformer without positions",
    "transformer:sinusoidal": "sinusoidal Transformer",
    "transformer:rotary": "rotary Transformer",
    "transformer_xl": "Transformer-XL",
    "lstm_transformer": "LSTM->Transformer",
    "gru_transformer": "GRU->Transformer",
    "rnn_transformer": "RNN->Transformer",
    "cnn_transformer": "CNN->Transformer",
    "encoder_decoder": "encoder-decoder",
    "decoder_only": "decoder-only",
    "inverted_transformer": "inverted Transformer",
    "recurrent_blocks": "recurrence for attention",
    "convolutional_blocks": "convolution for attention",
    "tft": "TFT",
    "linear": "linear",
    "seasonal_naive": "seasonal naive",
}


def named(model: str) -> str:
    """A network's name in text."""
    return NAMES.get(model, model.replace("_", " ").replace("+", " + "))
