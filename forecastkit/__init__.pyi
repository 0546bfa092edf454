# Public names and their modules; tools/write_stubs.py adds those of the backbones and sorts.
from . import metrics as metrics
from . import plotting as plotting
from .auto.forecaster import AutoForecaster as AutoForecaster
from .comparison.comparison import compare as compare
from .comparison.recommendation import recommend as recommend
from .data.memmap.build import map_parquet as map_parquet
from .data.memmap.dataset import MappedData as MappedData
from .data.memmap.dataset import open_mapped as open_mapped
from .data.panel import Panel as Panel
from .datasets import list_datasets as list_datasets
from .datasets import load_dataset as load_dataset
from .evaluation.backtesting import backtest as backtest
from .evaluation.results import Backtest as Backtest
from .evaluation.rolling_origin import RollingOrigin as RollingOrigin
from .exporting.export import export as export
from .features.window_features import WindowFeatures as WindowFeatures
from .forecasters.baselines import DampedTrendForecaster as DampedTrendForecaster
from .forecasters.baselines import DriftForecaster as DriftForecaster
from .forecasters.baselines import MeanForecaster as MeanForecaster
from .forecasters.baselines import NaiveForecaster as NaiveForecaster
from .forecasters.baselines import SeasonalNaiveForecaster as SeasonalNaiveForecaster
from .forecasters.baselines import ThetaForecaster as ThetaForecaster
from .forecasters.ensemble import EnsembleForecaster as EnsembleForecaster
from .forecasters.hierarchical import HierarchicalForecaster as HierarchicalForecaster
from .forecasters.keras import KerasForecaster as KerasForecaster
from .forecasters.linear import LinearForecaster as LinearForecaster
from .forecasters.networks import CNNTransformerForecaster as CNNTransformerForecaster
from .forecasters.networks import ConvolutionalBlocksForecaster as ConvolutionalBlocksForecaster
from .forecasters.networks import DecoderOnlyForecaster as DecoderOnlyForecaster
from .forecasters.networks import EncoderDecoderForecaster as EncoderDecoderForecaster
from .forecasters.networks import GRUForecaster as GRUForecaster
from .forecasters.networks import GRUTransformerForecaster as GRUTransformerForecaster
from .forecasters.networks import InvertedTransformerForecaster as InvertedTransformerForecaster
from .forecasters.networks import LSTMForecaster as LSTMForecaster
from .forecasters.networks import LSTMTransformerForecaster as LSTMTransformerForecaster
from .forecasters.networks import MambaForecaster as MambaForecaster
from .forecasters.networks import MinGRUForecaster as MinGRUForecaster
from .forecasters.networks import MinLSTMForecaster as MinLSTMForecaster
from .forecasters.networks import RecurrentBlocksForecaster as RecurrentBlocksForecaster
from .forecasters.networks import RNNForecaster as RNNForecaster
from .forecasters.networks import RNNTransformerForecaster as RNNTransformerForecaster
from .forecasters.networks import TFTForecaster as TFTForecaster
from .forecasters.networks import TransformerForecaster as TransformerForecaster
from .forecasters.networks import TransformerXLForecaster as TransformerXLForecaster
from .forecasters.pretrain import pretrain as pretrain
from .forecasters.pretrained import PretrainedForecaster as PretrainedForecaster
from .forecasters.tabular import TabularForecaster as TabularForecaster
from .hierarchy.reconciliation import reconcile as reconcile
from .hierarchy.sums import Hierarchy as Hierarchy
from .hierarchy.sums import aggregate as aggregate
from .inspection.importance import importance as importance
from .inspection.interpretation import interpret as interpret
from .inspection.lookahead_audit import audit as audit
from .integrations.partitions import forecast_partition as forecast_partition
from .integrations.partitions import forecast_partitions as forecast_partitions
from .integrations.partitions import partition_meta as partition_meta
from .integrations.tf_dataset import window_dataset as window_dataset
from .networks import backbones as backbones
from .networks.backbone import Backbone as Backbone
from .networks.backbones.cnn_transformer import CNNTransformer as CNNTransformer
from .networks.backbones.convolutional_blocks import ConvolutionalBlocks as ConvolutionalBlocks
from .networks.backbones.decoder_only import DecoderOnly as DecoderOnly
from .networks.backbones.encoder_decoder import EncoderDecoder as EncoderDecoder
from .networks.backbones.gru import GRU as GRU
from .networks.backbones.gru_transformer import GRUTransformer as GRUTransformer
from .networks.backbones.inverted_transformer import InvertedTransformer as InvertedTransformer
from .networks.backbones.lstm import LSTM as LSTM
from .networks.backbones.lstm_transformer import LSTMTransformer as LSTMTransformer
from .networks.backbones.mamba import Mamba as Mamba
from .networks.backbones.min_gru import MinGRU as MinGRU
from .networks.backbones.min_lstm import MinLSTM as MinLSTM
from .networks.backbones.recurrent_blocks import RecurrentBlocks as RecurrentBlocks
from .networks.backbones.rnn import RNN as RNN
from .networks.backbones.rnn_transformer import RNNTransformer as RNNTransformer
from .networks.backbones.tft import TFT as TFT
from .networks.backbones.transformer import Transformer as Transformer
from .networks.backbones.transformer_xl import TransformerXL as TransformerXL
from .persistence.artifact import load as load
from .plotting.forecasts import plot_backtest as plot_backtest
from .plotting.forecasts import plot_comparison as plot_comparison
from .plotting.forecasts import plot_forecast as plot_forecast
from .plotting.interpretation import plot_attention as plot_attention
from .plotting.interpretation import plot_attribution as plot_attribution
from .plotting.one_call import plot as plot
from .reporting.report import Report as Report
from .reporting.report import report as report
from .training.engines.cluster import is_chief as is_chief
from .training.trained_network import clear_cache as clear_cache
from .tuning.api import tune as tune
from .tuning.tuned_forecaster import TunedForecaster as TunedForecaster
from .utils.exceptions import DataWarning as DataWarning
from .utils.exceptions import InputError as InputError

plots = plotting
__version__: str

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "TFT",
    "AutoForecaster",
    "Backbone",
    "Backtest",
    "CNNTransformer",
    "CNNTransformerForecaster",
    "ConvolutionalBlocks",
    "ConvolutionalBlocksForecaster",
    "DampedTrendForecaster",
    "DataWarning",
    "DecoderOnly",
    "DecoderOnlyForecaster",
    "DriftForecaster",
    "EncoderDecoder",
    "EncoderDecoderForecaster",
    "EnsembleForecaster",
    "GRUForecaster",
    "GRUTransformer",
    "GRUTransformerForecaster",
    "HierarchicalForecaster",
    "Hierarchy",
    "InputError",
    "InvertedTransformer",
    "InvertedTransformerForecaster",
    "KerasForecaster",
    "LSTMForecaster",
    "LSTMTransformer",
    "LSTMTransformerForecaster",
    "LinearForecaster",
    "Mamba",
    "MambaForecaster",
    "MappedData",
    "MeanForecaster",
    "MinGRU",
    "MinGRUForecaster",
    "MinLSTM",
    "MinLSTMForecaster",
    "NaiveForecaster",
    "Panel",
    "PretrainedForecaster",
    "RNNForecaster",
    "RNNTransformer",
    "RNNTransformerForecaster",
    "RecurrentBlocks",
    "RecurrentBlocksForecaster",
    "Report",
    "RollingOrigin",
    "SeasonalNaiveForecaster",
    "TFTForecaster",
    "TabularForecaster",
    "ThetaForecaster",
    "Transformer",
    "TransformerForecaster",
    "TransformerXL",
    "TransformerXLForecaster",
    "TunedForecaster",
    "WindowFeatures",
    "aggregate",
    "audit",
    "backbones",
    "backtest",
    "clear_cache",
    "compare",
    "export",
    "forecast_partition",
    "forecast_partitions",
    "importance",
    "interpret",
    "is_chief",
    "list_datasets",
    "load",
    "load_dataset",
    "map_parquet",
    "metrics",
    "open_mapped",
    "partition_meta",
    "plot",
    "plot_attention",
    "plot_attribution",
    "plot_backtest",
    "plot_comparison",
    "plot_forecast",
    "plots",
    "pretrain",
    "recommend",
    "reconcile",
    "report",
    "tune",
    "window_dataset",
]
