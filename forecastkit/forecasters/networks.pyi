# Written by tools/write_stubs.py: run it after changes.

from collections.abc import Sequence
from typing import ClassVar

from forecastkit.forecasters.neural import NamedForecaster
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
from forecastkit.utils import types
from forecastkit.utils.types import Calibrate, Columns

class CNNTransformerForecaster(NamedForecaster, CNNTransformer):  # type: ignore[misc]
    """Forecaster around the `CNNTransformer` backbone.

    Causal convolution over past tokens (local features), followed by Transformer blocks (global attention).

    References are at `CNNTransformer`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `kernel`, `units`, `layers`, `heads`,
      `feedforward`, `positions`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    kernel : int
        Kernel size of the convolution in tokens.
    units : int
        Width of tokens; a multiple of `heads`.
    layers : int
        Number of blocks of attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    positions : {'learned', 'sinusoidal', 'rotary', 'none'}
        Positional encoding: a learned or sinusoidal vector added to each token, or a rotation of queries and keys by
        their position, so that attention depends on distances.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[CNNTransformer]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        kernel: int = 3,
        units: int = 64,
        layers: int = 1,
        heads: int = 4,
        feedforward: int | None = None,
        positions: str = "learned",
        dropout: float = 0.1,
    ) -> None: ...

class ConvolutionalBlocksForecaster(NamedForecaster, ConvolutionalBlocks):  # type: ignore[misc]
    """Forecaster around the `ConvolutionalBlocks` backbone.

    Transformer blocks in which a causal convolution replaces self-attention.

    References are at `ConvolutionalBlocks`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `kernel`,
      `feedforward`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of every token.
    layers : int
        Number of blocks. The receptive field grows by a factor of `kernel` per block to ``kernel ** layers`` tokens.
    kernel : int
        Kernel size of the convolution in tokens, at least 2.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after the convolution, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[ConvolutionalBlocks]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 64,
        layers: int = 3,
        kernel: int = 3,
        feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...

class DecoderOnlyForecaster(NamedForecaster, DecoderOnly):  # type: ignore[misc]
    """Forecaster around the `DecoderOnly` backbone.

    Causal decoder-only Transformer over segments: past tokens followed by future tokens.

    References are at `DecoderOnly`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `heads`, `feedforward`,
      `positions`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens; a multiple of `heads`.
    layers : int
        Number of blocks of attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    positions : {'learned', 'sinusoidal', 'rotary', 'none'}
        Positional encoding: a learned or sinusoidal vector added to each token, or a rotation of queries and keys by
        their position, so that attention depends on distances.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[DecoderOnly]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 64,
        layers: int = 2,
        heads: int = 4,
        feedforward: int | None = None,
        positions: str = "learned",
        dropout: float = 0.1,
    ) -> None: ...

class EncoderDecoderForecaster(NamedForecaster, EncoderDecoder):  # type: ignore[misc]
    """Forecaster around the `EncoderDecoder` backbone.

    Encoder-decoder Transformer: queries of the horizon attend to each other and to the encoded past.

    References are at `EncoderDecoder`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `layers`, `units`, `heads`, `feedforward`,
      `positions`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    layers : int
        Number of blocks of the encoder and of the decoder.
    units : int
        Width of tokens; a multiple of `heads`.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    positions : {'learned', 'sinusoidal', 'rotary', 'none'}
        Positional encoding: a learned or sinusoidal vector added to each token, or a rotation of queries and keys by
        their position, so that attention depends on distances.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[EncoderDecoder]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        layers: int = 2,
        units: int = 64,
        heads: int = 4,
        feedforward: int | None = None,
        positions: str = "learned",
        dropout: float = 0.1,
    ) -> None: ...

class GRUForecaster(NamedForecaster, GRU):  # type: ignore[misc]
    """Forecaster around the `GRU` backbone.

    Gated recurrent unit over past tokens, with one parallel step into each future token.

    References are at `GRU`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states.
    layers : int
        Number of stacked recurrent layers.
    dropout : float
        Fraction of the states dropped in training before the head.
    """

    architecture: ClassVar[type[GRU]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.2,
    ) -> None: ...

class GRUTransformerForecaster(NamedForecaster, GRUTransformer):  # type: ignore[misc]
    """Forecaster around the `GRUTransformer` backbone.

    Transformer with a gated recurrent layer before every block.

    References are at `GRUTransformer`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `heads`, `feedforward`,
      `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states; a multiple of `heads`.
    layers : int
        Number of blocks of an LSTM, attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[GRUTransformer]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 1,
        heads: int = 4,
        feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...

class InvertedTransformerForecaster(NamedForecaster, InvertedTransformer):  # type: ignore[misc]
    """Forecaster around the `InvertedTransformer` backbone.

    Transformer whose tokens are the target columns: each reads the whole lookback, and they attend to each other.

    References are at `InvertedTransformer`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `heads`, `feedforward`,
      `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of the tokens of segments and of columns; a multiple of `heads`.
    layers : int
        Number of blocks of attention between columns and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[InvertedTransformer]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 2,
        heads: int = 4,
        feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...

class LSTMForecaster(NamedForecaster, LSTM):  # type: ignore[misc]
    """Forecaster around the `LSTM` backbone.

    Long short-term memory over past tokens, with one parallel step into each future token.

    References are at `LSTM`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `bidirectional`, `layers`,
      `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states; with `bidirectional`, of each direction.
    bidirectional : bool
        Whether to read the past in both directions; both final states are stepped into the future.
    layers : int
        Number of stacked recurrent layers.
    dropout : float
        Fraction of the states dropped in training before the head.
    """

    architecture: ClassVar[type[LSTM]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        bidirectional: bool = False,
        layers: int = 1,
        dropout: float = 0.2,
    ) -> None: ...

class LSTMTransformerForecaster(NamedForecaster, LSTMTransformer):  # type: ignore[misc]
    """Forecaster around the `LSTMTransformer` backbone.

    Transformer with an LSTM before every block, which encodes the order of the tokens.

    References are at `LSTMTransformer`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `heads`, `feedforward`,
      `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states; a multiple of `heads`.
    layers : int
        Number of blocks of an LSTM, attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[LSTMTransformer]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 1,
        heads: int = 4,
        feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...

class MambaForecaster(NamedForecaster, Mamba):  # type: ignore[misc]
    """Forecaster around the `Mamba` backbone.

    Selective state-space model over past and future tokens in sequence.

    References are at `Mamba`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `expand`, `states`,
      `kernel`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of every token.
    layers : int
        Number of selective blocks.
    expand : int
        Number of channels in a block, as a multiple of the units.
    states : int
        Number of states per channel.
    kernel : int
        Kernel size of the convolution in tokens.
    dropout : float
        Fraction dropped in training after every block and before the head.
    """

    architecture: ClassVar[type[Mamba]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 64,
        layers: int = 1,
        expand: int = 2,
        states: int = 8,
        kernel: int = 4,
        dropout: float = 0.1,
    ) -> None: ...

class MinGRUForecaster(NamedForecaster, MinGRU):  # type: ignore[misc]
    """Forecaster around the `MinGRU` backbone.

    Minimal gated recurrent unit: blocks of a parallel recurrence and a feed-forward layer over past and future.

    References are at `MinGRU`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `feedforward`,
      `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states.
    layers : int
        Number of blocks.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after the recurrence, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[MinGRU]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 2,
        feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...

class MinLSTMForecaster(NamedForecaster, MinLSTM):  # type: ignore[misc]
    """Forecaster around the `MinLSTM` backbone.

    Minimal long short-term memory: blocks of a parallel recurrence and a feed-forward layer over past and future.

    References are at `MinLSTM`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `feedforward`,
      `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states.
    layers : int
        Number of blocks.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after the recurrence, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[MinLSTM]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 2,
        feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...

class RecurrentBlocksForecaster(NamedForecaster, RecurrentBlocks):  # type: ignore[misc]
    """Forecaster around the `RecurrentBlocks` backbone.

    Transformer blocks in which a recurrent layer replaces self-attention.

    References are at `RecurrentBlocks`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `cell`, `feedforward`,
      `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states.
    layers : int
        Number of blocks.
    cell : {'gru', 'lstm', 'rnn'}
        Kind of the recurrent layer.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after the recurrence, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[RecurrentBlocks]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 1,
        cell: str = "gru",
        feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...

class RNNForecaster(NamedForecaster, RNN):  # type: ignore[misc]
    """Forecaster around the `RNN` backbone.

    Simple recurrent network over past tokens, with one parallel step into each future token.

    References are at `RNN`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states.
    layers : int
        Number of stacked recurrent layers.
    dropout : float
        Fraction of the states dropped in training before the head.
    """

    architecture: ClassVar[type[RNN]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 1,
        dropout: float = 0.2,
    ) -> None: ...

class RNNTransformerForecaster(NamedForecaster, RNNTransformer):  # type: ignore[misc]
    """Forecaster around the `RNNTransformer` backbone.

    Transformer with a simple recurrent layer before every block, the fastest of the recurrent hybrids.

    References are at `RNNTransformer`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `heads`, `feedforward`,
      `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states; a multiple of `heads`.
    layers : int
        Number of blocks of an LSTM, attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[RNNTransformer]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 128,
        layers: int = 1,
        heads: int = 4,
        feedforward: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...

class TFTForecaster(NamedForecaster, TFT):  # type: ignore[misc]
    """Forecaster around the `TFT` backbone.

    Temporal Fusion Transformer with interpretable weights of its variables, shown by `fk.interpret`.

    References are at `TFT`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `heads`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens and states; a multiple of `heads`.
    layers : int
        Number of LSTM layers of the past and of the future.
    heads : int
        Number of attention heads. They share their values, so that their mean weights can be interpreted.
    dropout : float
        Fraction dropped in training before each gate except the last, and before the head.
    """

    architecture: ClassVar[type[TFT]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 64,
        layers: int = 1,
        heads: int = 4,
        dropout: float = 0.1,
    ) -> None: ...

class TransformerForecaster(NamedForecaster, Transformer):  # type: ignore[misc]
    """Forecaster around the `Transformer` backbone.

    Transformer encoder over past and future tokens; the encoded future tokens give the forecast.

    References are at `Transformer`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `heads`, `feedforward`,
      `positions`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens; a multiple of `heads`.
    layers : int
        Number of blocks of attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    positions : {'learned', 'sinusoidal', 'rotary', 'none'}
        Positional encoding: a learned or sinusoidal vector added to each token, or a rotation of queries and keys by
        their position, so that attention depends on distances.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[Transformer]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 64,
        layers: int = 2,
        heads: int = 4,
        feedforward: int | None = None,
        positions: str = "learned",
        dropout: float = 0.1,
    ) -> None: ...

class TransformerXLForecaster(NamedForecaster, TransformerXL):  # type: ignore[misc]
    """Forecaster around the `TransformerXL` backbone.

    Transformer-XL: segments of the past attend to a memory of earlier ones by content and distance.

    References are at `TransformerXL`.

    Parameters by subject:

    - Data: `horizon`, `lookback`, `target`, `time`, `series_id`, `known`, `past`, `static`, `freq`, `timezone`,
      `duplicates`, `resample`, `slots`, `season_length`, `validation_size`, `quantile_levels`, `calibrate`,
      `lower`, `upper`, `target_transform`, `calendar`, `holidays`, `fourier`.
    - Training: `loss`, `step_weight`, `target_weight`, `metrics`, `optimizer`, `epochs`, `windows_per_epoch`,
      `batch_size`, `learning_rate`, `patience`, `final_epochs`, `time_limit`, `precision`, `distribute`,
      `resume`, `random_state`, `verbose`, `callbacks`.
    - Network: `patch`, `normalization`, `linear_path`, `embed_series`, `units`, `layers`, `heads`, `feedforward`,
      `segment`, `memory`, `dropout`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts and quantiles; for counts and for values
        whose variation grows with their size. Values outside its domain are refused by `fit` and count as missing in
        newer rows. With the loss 'mse' a forecast is the mean on the transformed scale. By default none, or with 'mae'
        and 'huber' that selected by the linear path.
    calendar : bool
        Whether tokens include the time of day, week and year.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are inputs at every step: 'DE', 'US-CA'. For steps of at
        most a day. Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Number of Fourier terms per season, or by season length in steps, such as ``{365.25: 3}``. Their linear effect
        is removed from the target first.
    loss : str, keras.losses.Loss or callable
        One of 'mae', 'mse' and 'huber' for point forecasts, or a distribution trained by maximum likelihood:
        'gaussian', 'student_t', 'log_normal', 'poisson', 'negative_binomial' and 'zero_inflated'. With
        `quantile_levels` the pinball loss is used. A distribution provides quantiles of any level, and its mean is the
        point forecast. Alternatively any Keras loss, given by name, as an object, or as a function of y_true and
        y_pred; it is called with windows (batch, horizon, 1) in units of each series' scale.
    step_weight : list of float, optional
        Weight of each step of the horizon in the training and validation loss; divided by their mean.
    target_weight : list or dict of float, optional
        Weight of each target in these losses; divided by their mean. Targets missing in a dict have weight 1.
    metrics : list of str, keras.metrics.Metric or callable, optional
        Metrics of Keras, computed after every epoch on the validation windows and as many training windows, in units of
        each series' scale; they are in ``training_history_.metrics`` and in the logs of callbacks.
    optimizer : str, keras.Optimizer or dict, optional
        Name, object or configuration of a Keras optimizer; Adam by default. If `learning_rate` is None, the schedule
        starts from the learning rate of an object; a schedule of the optimizer replaces it.
    epochs : int, optional
        Largest number of epochs, over which the learning rate decays; an epoch has at most 100 batches unless
        `windows_per_epoch` is given. By default the learning rate is constant until the validation loss stalls, for at
        most 32 epochs, and then decays within 3 to 8; without validation rows there are 10 epochs.
    windows_per_epoch : int, optional
        Number of windows drawn per epoch.
    batch_size : int
        Number of (series, origin) pairs per step, reduced for small data. Backbones that mix channels use all channels
        of an origin, and at least 16 origins.
    learning_rate : float, optional
        Peak of the learning rate schedule; by default that of the backbone.
    patience : int or None
        Epochs without an improvement of the validation loss after which training stops, if `epochs` is given.
    final_epochs : int, optional
        Epochs on all rows, including the validation block, after the best weights are selected and evaluated, because
        the latest rows are the most informative. Scores and intervals are those before. By default one per five
        `epochs`.
    time_limit : float, optional
        Time limit of training in seconds.
    precision : {None, 'float32', 'mixed_float16', 'mixed_bfloat16'}
        Dtype policy of the layers; weights, losses and forecasts are float32. Half precision is for GPUs that support
        it. By default Keras' dtype policy.
    distribute : {None, 'auto', 'mirrored', 'multiworker'}
        Train on the devices of this machine ('mirrored') or on the machines in TF_CONFIG ('multiworker'), which share
        each batch; 'auto' selects what is available. None uses the strategy of the active scope, if any.
    resume : path-like, optional
        Folder in which the state is stored after every epoch. If a fit was interrupted, the same call on the same data
        resumes after its last complete epoch and ends with the same weights. The state is deleted at the end. Callbacks
        start anew.
    random_state : int, RandomState or None
        Seed of weights, batches and dropout; the same seed gives the same forecasts.
    verbose : int
        1 prints one line per epoch.
    callbacks : list of keras.callbacks.Callback, optional
        Called as `keras.Model.fit` calls them, also after single steps. One that sets the learning rate replaces the
        schedule. Not called in the final epochs.
    patch : int, optional
        Number of steps per token; 1 reads single steps. By default a divisor of the season that gives at least twelve
        tokens in the lookback.
    normalization : {'last', 'standard', 'mean', 'none'}, optional
        Normalization of windows, which is undone after the network. With 'mean', series and windows are divided by
        their mean absolute values without centering. By default 'mean' for distributions of positive values; otherwise
        'last', 'standard' if the linear path shows that it is clearly better, or 'none' if training rows are not
        autocorrelated.
    linear_path : bool
        Whether the network corrects the closed-form linear forecast, which is fitted first. If two seasons fit into the
        lookback, it is averaged with exponential smoothing of the window where this lowers the validation error, or
        where fewer than three horizons fit into the validation block (``recipe_["smoothing"]``). Half of the
        corrections are kept, more if they save over a quarter of the validation loss, fewer if fewer than three
        horizons fit into the validation block, and none if they do not reduce its loss; ``recipe_["correction"]`` is
        the fraction. The regressions also select the normalization, target transform and lookback that are not given.
        It is not used for distributions of positive values, without a validation block, or for memory-mapped data.
    embed_series : bool
        Whether to learn an embedding of every series.
    units : int
        Width of tokens; a multiple of `heads`.
    layers : int
        Number of blocks of attention and a feed-forward layer. Each block looks one memory further back, so the
        forecast depends on about ``layers * memory`` tokens before the last segment.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    segment : int, optional
        Number of past tokens per segment. By default the past is divided into ``layers + 1`` segments, so that all of
        it can reach the forecast.
    memory : int, optional
        Number of tokens before a segment that it attends to; 0 for none. By default the previous segment.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.
    """

    architecture: ClassVar[type[TransformerXL]]

    def __init__(
        self,
        *,
        horizon: int | None = None,
        lookback: int | None = None,
        target: Columns | None = None,
        time: str | list[str] | None = None,
        series_id: str | list[str] | None = None,
        known: Columns | None = None,
        past: Columns | None = None,
        static: Columns | None = None,
        freq: str | None = None,
        timezone: str | None = None,
        duplicates: str = "refuse",
        resample: str | None = None,
        slots: str | None = None,
        season_length: int | None = None,
        validation_size: float = 0.2,
        quantile_levels: Sequence[float] | None = None,
        calibrate: Calibrate = False,
        lower: float | dict | None = None,
        upper: float | dict | None = None,
        target_transform: str | None = None,
        calendar: bool = False,
        holidays: str | None = None,
        fourier: types.Fourier | None = None,
        loss: types.Loss = "mae",
        step_weight: Sequence[float] | None = None,
        target_weight: types.TargetWeight | None = None,
        metrics: types.Metrics | None = None,
        optimizer: types.Optimizer | None = None,
        epochs: int | None = None,
        windows_per_epoch: int | None = None,
        batch_size: int = 256,
        learning_rate: float | None = None,
        patience: int | None = 4,
        final_epochs: int | None = None,
        time_limit: float | None = None,
        precision: str | None = None,
        distribute: str | None = None,
        resume: types.Path | None = None,
        random_state: types.Seed | None = None,
        verbose: int = 0,
        callbacks: types.Callbacks | None = None,
        patch: int | None = None,
        normalization: str | None = None,
        linear_path: bool = True,
        embed_series: bool = False,
        units: int = 64,
        layers: int = 2,
        heads: int = 4,
        feedforward: int | None = None,
        segment: int | None = None,
        memory: int | None = None,
        dropout: float = 0.1,
    ) -> None: ...
