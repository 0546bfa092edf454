"""A forecaster for each backbone, named after it."""

# Written by tools/write_stubs.py: run it after changes.

from dataclasses import dataclass

from forecastkit.forecasters.neural import NamedForecaster, named_forecaster
from forecastkit.networks import backbones
from forecastkit.networks.backbones.cnn_transformer import CNNTransformer
from forecastkit.networks.backbones.convolutional_blocks import ConvolutionalBlocks
from forecastkit.networks.backbones.decoder_only import DecoderOnly
from forecastkit.networks.backbones.encoder_decoder import EncoderDecoder
from forecastkit.networks.backbones.gru import GRU
from forecastkit.networks.backbones.gru_transformer import GRUTransformer
from forecastkit.networks.backbones.inverted_transformer import InvertedTransformer
from forecastkit.networks.backbones.lstm import LSTM
from forecastkit.networks.backbones.lstm_transformer import LSTMTransformer
from forecastkit.networks.backbones.mamba import Mamba
from forecastkit.networks.backbones.min_gru import MinGRU
from forecastkit.networks.backbones.min_lstm import MinLSTM
from forecastkit.networks.backbones.recurrent_blocks import RecurrentBlocks
from forecastkit.networks.backbones.rnn import RNN
from forecastkit.networks.backbones.rnn_transformer import RNNTransformer
from forecastkit.networks.backbones.tft import TFT
from forecastkit.networks.backbones.transformer import Transformer
from forecastkit.networks.backbones.transformer_xl import TransformerXL


@dataclass(kw_only=True, eq=False, repr=False)
class CNNTransformerForecaster(NamedForecaster, CNNTransformer):
    """Forecaster around the `CNNTransformer` backbone.

    A causal convolution over the tokens of the past (local features), then Transformer blocks (global attention).

    References are at `CNNTransformer`.
    """

    architecture = CNNTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class ConvolutionalBlocksForecaster(NamedForecaster, ConvolutionalBlocks):
    """Forecaster around the `ConvolutionalBlocks` backbone.

    The Transformer block with its self-attention replaced by a causal convolution; residuals and feed-forward kept.

    References are at `ConvolutionalBlocks`.
    """

    architecture = ConvolutionalBlocks


@dataclass(kw_only=True, eq=False, repr=False)
class DecoderOnlyForecaster(NamedForecaster, DecoderOnly):
    """Forecaster around the `DecoderOnly` backbone.

    Causal decoder-only Transformer over segments: the tokens of the past, then those of the future.

    References are at `DecoderOnly`.
    """

    architecture = DecoderOnly


@dataclass(kw_only=True, eq=False, repr=False)
class EncoderDecoderForecaster(NamedForecaster, EncoderDecoder):
    """Forecaster around the `EncoderDecoder` backbone.

    The full encoder-decoder Transformer: queries of the horizon attend to each other and to the encoded past.

    References are at `EncoderDecoder`.
    """

    architecture = EncoderDecoder


@dataclass(kw_only=True, eq=False, repr=False)
class GRUForecaster(NamedForecaster, GRU):
    """Forecaster around the `GRU` backbone.

    Gated recurrent unit over the tokens of the past, stepped once into each token of the future.

    References are at `GRU`.
    """

    architecture = GRU


@dataclass(kw_only=True, eq=False, repr=False)
class GRUTransformerForecaster(NamedForecaster, GRUTransformer):
    """Forecaster around the `GRUTransformer` backbone.

    Gated recurrent layer before every Transformer block.

    References are at `GRUTransformer`.
    """

    architecture = GRUTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class InvertedTransformerForecaster(NamedForecaster, InvertedTransformer):
    """Forecaster around the `InvertedTransformer` backbone.

    Transformer whose tokens are the target columns: each reads the whole lookback, and they attend to each other.

    References are at `InvertedTransformer`.
    """

    architecture = InvertedTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMForecaster(NamedForecaster, LSTM):
    """Forecaster around the `LSTM` backbone.

    Long short-term memory over the tokens of the past, stepped once into each token of the future.

    References are at `LSTM`.
    """

    architecture = LSTM


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMTransformerForecaster(NamedForecaster, LSTMTransformer):
    """Forecaster around the `LSTMTransformer` backbone.

    LSTM before every Transformer block: the recurrence carries the order, attention looks far back.

    References are at `LSTMTransformer`.
    """

    architecture = LSTMTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class MambaForecaster(NamedForecaster, Mamba):
    """Forecaster around the `Mamba` backbone.

    Selective state space over the tokens of the past, read on into the tokens of the future.

    References are at `Mamba`.
    """

    architecture = Mamba


@dataclass(kw_only=True, eq=False, repr=False)
class MinGRUForecaster(NamedForecaster, MinGRU):
    """Forecaster around the `MinGRU` backbone.

    Minimal gated recurrent unit: blocks of a parallel recurrence and feed-forward, read on into the future.

    References are at `MinGRU`.
    """

    architecture = MinGRU


@dataclass(kw_only=True, eq=False, repr=False)
class MinLSTMForecaster(NamedForecaster, MinLSTM):
    """Forecaster around the `MinLSTM` backbone.

    Minimal long short-term memory: blocks of a parallel recurrence and feed-forward, read on into the future.

    References are at `MinLSTM`.
    """

    architecture = MinLSTM


@dataclass(kw_only=True, eq=False, repr=False)
class RecurrentBlocksForecaster(NamedForecaster, RecurrentBlocks):
    """Forecaster around the `RecurrentBlocks` backbone.

    The Transformer block with its self-attention replaced by a recurrent layer; residuals and feed-forward are kept.

    References are at `RecurrentBlocks`.
    """

    architecture = RecurrentBlocks


@dataclass(kw_only=True, eq=False, repr=False)
class RNNForecaster(NamedForecaster, RNN):
    """Forecaster around the `RNN` backbone.

    Simple recurrent network over the tokens of the past, stepped once into each token of the future.

    References are at `RNN`.
    """

    architecture = RNN


@dataclass(kw_only=True, eq=False, repr=False)
class RNNTransformerForecaster(NamedForecaster, RNNTransformer):
    """Forecaster around the `RNNTransformer` backbone.

    Simple recurrent layer before every Transformer block: the cheapest of the recurrent hybrids.

    References are at `RNNTransformer`.
    """

    architecture = RNNTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class TFTForecaster(NamedForecaster, TFT):
    """Forecaster around the `TFT` backbone.

    Temporal Fusion Transformer: weighs its variables, and `fk.interpret` shows the weights.

    References are at `TFT`.
    """

    architecture = TFT


@dataclass(kw_only=True, eq=False, repr=False)
class TransformerForecaster(NamedForecaster, Transformer):
    """Forecaster around the `Transformer` backbone.

    Transformer encoder over the tokens of past and future together; the future's leave it as the forecast.

    References are at `Transformer`.
    """

    architecture = Transformer


@dataclass(kw_only=True, eq=False, repr=False)
class TransformerXLForecaster(NamedForecaster, TransformerXL):
    """Forecaster around the `TransformerXL` backbone.

    Transformer-XL: reads the past in segments that attend to a memory of earlier ones, by content and distance.

    References are at `TransformerXL`.
    """

    architecture = TransformerXL


def __getattr__(name: str) -> type[NamedForecaster]:
    """The forecaster of a backbone whose file is newer than this one."""
    for stem, own in backbones.class_names().items():
        if name == f"{own}Forecaster":
            return named_forecaster(backbones.find(stem))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
