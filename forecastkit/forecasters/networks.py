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
    architecture = CNNTransformer


@named
class ConvolutionalBlocksForecaster(NamedForecaster, ConvolutionalBlocks):
    architecture = ConvolutionalBlocks


@named
class DecoderOnlyForecaster(NamedForecaster, DecoderOnly):
    architecture = DecoderOnly


@named
class EncoderDecoderForecaster(NamedForecaster, EncoderDecoder):
    architecture = EncoderDecoder


@named
class GRUForecaster(NamedForecaster, GRU):
    architecture = GRU


@named
class GRUTransformerForecaster(NamedForecaster, GRUTransformer):
    architecture = GRUTransformer


@named
class InvertedTransformerForecaster(NamedForecaster, InvertedTransformer):
    architecture = InvertedTransformer


@named
class LSTMForecaster(NamedForecaster, LSTM):
    architecture = LSTM


@named
class LSTMTransformerForecaster(NamedForecaster, LSTMTransformer):
    architecture = LSTMTransformer


@named
class MambaForecaster(NamedForecaster, Mamba):
    architecture = Mamba


@named
class MinGRUForecaster(NamedForecaster, MinGRU):
    architecture = MinGRU


@named
class MinLSTMForecaster(NamedForecaster, MinLSTM):
    architecture = MinLSTM


@named
class RecurrentBlocksForecaster(NamedForecaster, RecurrentBlocks):
    architecture = RecurrentBlocks


@named
class RNNForecaster(NamedForecaster, RNN):
    architecture = RNN


@named
class RNNTransformerForecaster(NamedForecaster, RNNTransformer):
    architecture = RNNTransformer


@named
class TFTForecaster(NamedForecaster, TFT):
    architecture = TFT


@named
class TransformerForecaster(NamedForecaster, Transformer):
    architecture = Transformer


@named
class TransformerXLForecaster(NamedForecaster, TransformerXL):
    architecture = TransformerXL


def __getattr__(name: str) -> type[NamedForecaster]:
    """The forecaster of a backbone whose file is newer than this one."""
    for stem, own in backbones.class_names().items():
        if name == f"{own}Forecaster":
            return named_forecaster(backbones.find(stem))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
