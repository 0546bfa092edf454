"""A forecaster for each backbone, named after it."""

# Written by tools/write_stubs.py: run it after changes.

from forecastkit.forecasters.keras import named, named_forecaster
from forecastkit.forecasters.neural import NamedForecaster
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


@named
class CNNTransformerForecaster(NamedForecaster, CNNTransformer):
    """Forecaster around the `CNNTransformer` backbone.

    Causal convolution over past tokens (local features), followed by Transformer blocks (global attention).

    References are at `CNNTransformer`.
    """

    architecture = CNNTransformer


@named
class ConvolutionalBlocksForecaster(NamedForecaster, ConvolutionalBlocks):
    """Forecaster around the `ConvolutionalBlocks` backbone.

    Transformer blocks in which a causal convolution replaces self-attention.

    References are at `ConvolutionalBlocks`.
    """

    architecture = ConvolutionalBlocks


@named
class DecoderOnlyForecaster(NamedForecaster, DecoderOnly):
    """Forecaster around the `DecoderOnly` backbone.

    Causal decoder-only Transformer over segments: past tokens followed by future tokens.

    References are at `DecoderOnly`.
    """

    architecture = DecoderOnly


@named
class EncoderDecoderForecaster(NamedForecaster, EncoderDecoder):
    """Forecaster around the `EncoderDecoder` backbone.

    Encoder-decoder Transformer: queries of the horizon attend to each other and to the encoded past.

    References are at `EncoderDecoder`.
    """

    architecture = EncoderDecoder


@named
class GRUForecaster(NamedForecaster, GRU):
    """Forecaster around the `GRU` backbone.

    Gated recurrent unit over past tokens, with one parallel step into each future token.

    References are at `GRU`.
    """

    architecture = GRU


@named
class GRUTransformerForecaster(NamedForecaster, GRUTransformer):
    """Forecaster around the `GRUTransformer` backbone.

    Transformer with a gated recurrent layer before every block.

    References are at `GRUTransformer`.
    """

    architecture = GRUTransformer


@named
class InvertedTransformerForecaster(NamedForecaster, InvertedTransformer):
    """Forecaster around the `InvertedTransformer` backbone.

    Transformer whose tokens are the target columns: each reads the whole lookback, and they attend to each other.

    References are at `InvertedTransformer`.
    """

    architecture = InvertedTransformer


@named
class LSTMForecaster(NamedForecaster, LSTM):
    """Forecaster around the `LSTM` backbone.

    Long short-term memory over past tokens, with one parallel step into each future token.

    References are at `LSTM`.
    """

    architecture = LSTM


@named
class LSTMTransformerForecaster(NamedForecaster, LSTMTransformer):
    """Forecaster around the `LSTMTransformer` backbone.

    Transformer with an LSTM before every block, which encodes the order of the tokens.

    References are at `LSTMTransformer`.
    """

    architecture = LSTMTransformer


@named
class MambaForecaster(NamedForecaster, Mamba):
    """Forecaster around the `Mamba` backbone.

    Selective state-space model over past and future tokens in sequence.

    References are at `Mamba`.
    """

    architecture = Mamba


@named
class MinGRUForecaster(NamedForecaster, MinGRU):
    """Forecaster around the `MinGRU` backbone.

    Minimal gated recurrent unit: blocks of a parallel recurrence and a feed-forward layer over past and future.

    References are at `MinGRU`.
    """

    architecture = MinGRU


@named
class MinLSTMForecaster(NamedForecaster, MinLSTM):
    """Forecaster around the `MinLSTM` backbone.

    Minimal long short-term memory: blocks of a parallel recurrence and a feed-forward layer over past and future.

    References are at `MinLSTM`.
    """

    architecture = MinLSTM


@named
class RecurrentBlocksForecaster(NamedForecaster, RecurrentBlocks):
    """Forecaster around the `RecurrentBlocks` backbone.

    Transformer blocks in which a recurrent layer replaces self-attention.

    References are at `RecurrentBlocks`.
    """

    architecture = RecurrentBlocks


@named
class RNNForecaster(NamedForecaster, RNN):
    """Forecaster around the `RNN` backbone.

    Simple recurrent network over past tokens, with one parallel step into each future token.

    References are at `RNN`.
    """

    architecture = RNN


@named
class RNNTransformerForecaster(NamedForecaster, RNNTransformer):
    """Forecaster around the `RNNTransformer` backbone.

    Transformer with a simple recurrent layer before every block, the fastest of the recurrent hybrids.

    References are at `RNNTransformer`.
    """

    architecture = RNNTransformer


@named
class TFTForecaster(NamedForecaster, TFT):
    """Forecaster around the `TFT` backbone.

    Temporal Fusion Transformer with interpretable weights of its variables, shown by `fk.interpret`.

    References are at `TFT`.
    """

    architecture = TFT


@named
class TransformerForecaster(NamedForecaster, Transformer):
    """Forecaster around the `Transformer` backbone.

    Transformer encoder over past and future tokens; the encoded future tokens give the forecast.

    References are at `Transformer`.
    """

    architecture = Transformer


@named
class TransformerXLForecaster(NamedForecaster, TransformerXL):
    """Forecaster around the `TransformerXL` backbone.

    Transformer-XL: segments of the past attend to a memory of earlier ones by content and distance.

    References are at `TransformerXL`.
    """

    architecture = TransformerXL


def __getattr__(name: str) -> type[NamedForecaster]:
    """The forecaster of a backbone whose file is newer than this one."""
    for stem, own in backbones.class_names().items():
        if name == f"{own}Forecaster":
            return named_forecaster(backbones.find(stem))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
