"""Base class of the forecasters with a network."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from forecastkit.baselines.ridge import Ridge
from forecastkit.data.row_labels import check_support
from forecastkit.data.sizes import choose_patch
from forecastkit.data.windows import Windows, crop, needs_mask
from forecastkit.features.calendar import count_events
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.keras_parts import KerasParts
from forecastkit.forecasters.linear_recipes import LinearPath, choose_network_recipe, correction_kept, scaler_for
from forecastkit.forecasters.loss_weights import make_loss_weight
from forecastkit.forecasters.newer_rows import FineTuning
from forecastkit.networks.backbone import NORMALIZATIONS, Backbone, Sizes
from forecastkit.networks.heads import OwnLoss, make_head
from forecastkit.preprocessing.scaler import buffers_of, lacks_autocorrelation
from forecastkit.training.checkpoint import Checkpoint, name_of, open_folder
from forecastkit.training.engines import DISTRIBUTIONS, PRECISIONS, agreed, find_strategy, is_first, shared_bytes
from forecastkit.training.loop import USUAL_EPOCHS, Plan, Record, train
from forecastkit.training.optimizers import own_rate
from forecastkit.training.trained_network import TrainedNetwork
from forecastkit.uncertainty.forecasts import forecast_of
from forecastkit.utils import types
from forecastkit.utils.docstrings import inherit_parameters
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.validation import check_choice, check_int, check_real, draw_seed, refuse

if TYPE_CHECKING:
    import keras

#: Tokens that a training run reads from which on compiling with XLA is worth its seconds.
WORTH_COMPILING = 2_000_000
#: Origins of a batch at least, where each brings all channels of its series.
MIN_ORIGINS = 16
#: Learning rate of the final epochs, as a fraction of the peak.
FINAL_RATE = 0.3


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralForecaster(KerasParts, FineTuning, Forecaster):
    """Base class of the forecasters with a network.

    Parameters
    ----------
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
    embed_series : bool
        Whether to learn an embedding of every series.
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
    """

    patch: int | None = None
    normalization: str | None = None
    target_transform: str | None = None
    calendar: bool = False
    holidays: str | None = None
    fourier: types.Fourier | None = None
    linear_path: bool = True
    embed_series: bool = False
    loss: types.Loss = "mae"
    step_weight: Sequence[float] | None = None
    target_weight: types.TargetWeight | None = None
    metrics: types.Metrics | None = None
    optimizer: types.Optimizer | None = None
    epochs: int | None = None
    windows_per_epoch: int | None = None
    batch_size: int = 256
    learning_rate: float | None = None
    patience: int | None = 4
    final_epochs: int | None = None
    time_limit: float | None = None
    precision: str | None = None
    distribute: str | None = None
    resume: types.Path | None = None
    random_state: types.Seed | None = None
    verbose: int = 0
    callbacks: types.Callbacks | None = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        inherit_parameters(cls, PARAMETER_GROUPS)

    def _architecture(self) -> Backbone:
        """Return the backbone with the hyperparameters of this forecaster."""
        raise NotImplementedError

    def _check_parameters(self):
        super()._check_parameters()
        where = type(self).__name__
        check_choice(where, "normalization", self.normalization, (*NORMALIZATIONS, None))
        check_choice(where, "precision", self.precision, (None, *PRECISIONS))
        check_choice(where, "distribute", self.distribute, DISTRIBUTIONS)
        self._check_head(where)
        if not (self.metrics is self.optimizer is self.callbacks is None):
            self._check_parts(where)
        for name in ("patch", "windows_per_epoch", "patience", "epochs"):
            check_int(where, name, getattr(self, name), optional=True)
        check_int(where, "batch_size", self.batch_size)
        check_int(where, "final_epochs", self.final_epochs, low=0, optional=True)
        check_real(where, "learning_rate", self.learning_rate, 1e-12, 10.0, optional=True)
        check_real(where, "time_limit", self.time_limit, 0.0, 1e9, optional=True)
        self._architecture().check()

    def _check_head(self, where):
        """Refuse parameters that contradict the loss."""
        head = make_head(self.loss, where=where)
        if isinstance(head, OwnLoss):
            self._check_own_loss(where, head.keras_loss)
        if head.distribution and self.quantile_levels is not None:
            rule = f"quantile_levels go with losses of points, and loss={self.loss!r} has quantiles of its own"
            refuse(where, rule, f"{self.quantile_levels!r}", "Pass them to predict.", ParameterError)
        if head.distribution and self._transform() is not None:
            rule = f"target_transform goes with losses of points, and loss={self.loss!r} is of the values themselves"
            refuse(where, rule, repr(self.target_transform), "Leave one of the two out.", ParameterError)
        if head.normalization == "mean" and self.normalization not in (None, "mean"):
            rule = f"loss={self.loss!r}, of values above zero, needs normalization='mean'"
            refuse(where, rule, repr(self.normalization), error=ParameterError)

    def _normalization(self):
        return self.normalization or make_head(self.loss, self.quantile_levels).normalization

    def _divides(self):
        return self._normalization() == "mean"

    def _choose_sizes(self, panel, stop):
        super()._choose_sizes(panel, stop)
        self._loss_weight()
        self.patch_ = self.patch or choose_patch(self.season_length_, self.lookback_, self.horizon_)
        if self.patch_ > self.lookback_:
            got = f"patch {self.patch_}, lookback {self.lookback_}"
            refuse(type(self).__name__, "patch must not be longer than the lookback", got, error=ParameterError)

    def _round_lookback(self, lookback):
        patch = self.patch or choose_patch(self.season_length_, lookback, self.horizon_)
        return max(lookback // patch, 1) * patch

    def _sizes(self, buffers, windows, path: LinearPath | None) -> Sizes:
        return Sizes(
            self.lookback_,
            self.horizon_,
            self.patch_,
            past=buffers.past.shape[1],
            known=buffers.known.shape[1],
            calendar=buffers.calendar.shape[1],
            events=count_events(self.scaler_.calendar) if self.scaler_.calendar else 0,
            codes=tuple((role, len(codes)) for role, met in self.scaler_.met.items() for codes in met),
            static=buffers.static.shape[1],
            series=(len(buffers.series) + 1) * buffers.target.shape[1] if self.embed_series else 0,
            masked=needs_mask(windows, buffers, self.lookback_),
            channels=windows.width if windows.width > 1 else 0,
            unit=make_head(self.loss, self.quantile_levels).needs_unit,
            **({} if path is None else path.sizes()),
        )

    def _fit(self, context):
        panel, strategy = context.panel, find_strategy(self.distribute, type(self).__name__)
        seed, checkpoint = self._begin(context, strategy)
        normalization = self._take_recipe(context)
        buffers = self._buffers(context)
        backbone = self._architecture()
        windows = self._windows(context, context.split, backbone)
        plan = self._plan(context, windows, backbone, seed)
        sizes = self._sizes(buffers, windows, context.linear_path)
        head = make_head(self.loss, self.quantile_levels)
        if head.distribution:
            check_support(type(self).__name__, self.loss, head, panel, self.schema_.target)
        self.trained_levels_ = head.levels
        kind = backbone, sizes, normalization, self.loss, head.levels
        self.network_ = TrainedNetwork(*kind, seed, precision=self.precision, optimizer=self.optimizer)
        pairs = min(plan.epochs, USUAL_EPOCHS) * plan.steps * plan.batch_size * windows.width
        tokens = pairs * (sizes.past_tokens + sizes.future_tokens)
        network, engine = self.network_.live(compiled=tokens >= WORTH_COMPILING, strategy=strategy)
        if context.linear_path is not None:
            context.linear_path.give(network)
        if any(getattr(callback, "uses_model", True) for callback in self.callbacks or ()):
            self.network_.shown()
        validation_origins = self._validation(context, most=4_000)
        validation_origins = validation_origins.together()[0] if sizes.channels else validation_origins
        has_listeners = self.callbacks or self.metrics or self.verbose
        listeners = self._listeners(engine, buffers, windows, validation_origins) if has_listeners else ()
        record = self.training_history_ = Record()
        try:
            train(engine, buffers, windows, validation_origins, plan, listeners, record, checkpoint)
        except InputError:
            del self.network_  # its weights are not finite
            raise
        if context.linear_path is not None:
            kept = correction_kept(self, context)
            if kept < 1:
                self.network_.scale_correction(kept)
            self.recipe_["correction"] = kept

    def _take_recipe(self, context) -> str:
        """Choose the recipe, fit the linear path, and return the normalization."""
        recipe = choose_network_recipe(self, context)
        if recipe.target_transform != self.scaler_.transform:
            self.scaler_ = scaler_for(self, recipe.target_transform, context, context.split)
        if recipe.lookback != self.lookback_:
            self.lookback_ = recipe.lookback
            self.patch_ = self.patch or choose_patch(self.season_length_, self.lookback_, self.horizon_)
        buffers = self._buffers(context)
        normalization = recipe.normalization
        if recipe.regressions:
            context.linear_path = LinearPath.fit(self, context, buffers, recipe)
        is_open = self.normalization is None and normalization == "last"
        if is_open and lacks_autocorrelation(buffers, context.split, self.season_length_):
            normalization = "none"
        smoothing = {"smoothing": bool(context.linear_path and context.linear_path.smoothing)}
        self.recipe_ = replace(recipe, normalization=normalization).to_dict(self.patch_) | smoothing
        return normalization

    def _begin(self, context, strategy):
        """Return the seed of a fit and its checkpoint, None without `resume`."""
        seed = int(agreed(strategy, draw_seed(self.random_state)))
        if self.resume is None:
            return seed, None
        name = name_of(self, context.panel, context.split, context.weight)
        writes, share = is_first(strategy), partial(shared_bytes, strategy)
        folder = open_folder(type(self).__name__, self.resume) if writes else Path(self.resume)
        checkpoint = Checkpoint(folder / name, seed, writes, share)
        context.checkpoints.append(checkpoint)
        return checkpoint.seed, checkpoint

    def _finish(self, context):
        """Continue training on all rows at a lower learning rate, if there is time."""
        record, (network, engine) = self.training_history_, self.network_.live()
        if context.linear_path is not None:
            buffers = self._buffers(context)
            context.linear_path.refit(buffers, context.panel, context.stop).give(network)
            if self.final_epochs is None:
                return
        if self._final_epochs() and (self.time_limit is None or engine.agreed(record.seconds) < self.time_limit):
            if context.checkpoints:
                context.checkpoints.append(context.checkpoints[0].following())
            self._train_on(context)

    def _final_epochs(self):
        if self.final_epochs is not None:
            return self.final_epochs
        return (
            self.training_history_.best_epoch + 1
            if hasattr(self, "training_history_")
            else (self.epochs or USUAL_EPOCHS)
        ) // 5

    def _train_on(self, context):
        if self.network_.head.distribution:
            check_support(type(self).__name__, self.loss, self.network_.head, context.panel, self.schema_.target)
        windows = self._windows(context, context.stop, self.network_.backbone)
        buffers = self._buffers(context)
        if not self.network_.sizes.masked and needs_mask(windows, buffers, self.lookback_):
            self.network_ = self.network_.with_mask()
        plan = self._plan(context, windows, self.network_.backbone, self.network_.seed)
        with self.network_.unfrozen(context.train) as (network, engine):
            batch = engine.batch_size or plan.batch_size  # the step traced for the fit serves again
            # Of a loaded forecaster's few rows no window counts more than it would among all those of the fit.
            steps = min(plan.steps, -(-len(windows) // batch)) if self.history_is_tail_ else plan.steps
            plan = replace(
                plan,
                epochs=max(self._final_epochs(), 1),
                adaptive=False,
                steps=steps,
                batch_size=batch,
                learning_rate=context.learning_rate or FINAL_RATE * plan.learning_rate,
                patience=None,
                seed=plan.seed + 1,
            )
            before, checkpoint = network.get_weights(), context.checkpoints[-1] if context.checkpoints else None
            try:
                train(engine, buffers, windows, None, plan, checkpoint=checkpoint)
            except (InputError, KeyboardInterrupt):
                network.set_weights(before)
                raise

    def _release(self, context):
        if hasattr(self, "network_"):
            self.network_.rest()

    def _windows(self, context, stop, backbone):
        # The loss of a window without targets is 0, so gradients of a batch would shrink with the fraction of them.
        sizes = self.lookback_, self.horizon_
        windows = Windows.training(context.panel, stop, *sizes, together=backbone.mixes_channels)
        return windows.with_targets(self._buffers(context).target, self.horizon_)

    def _buffers(self, context):
        return buffers_of(context, self.scaler_, self.lookback_, self.horizon_, self._loss_weight())

    def _loss_weight(self):
        given = self.step_weight, self.target_weight
        if given[0] is given[1] is None:
            return None
        return make_loss_weight(type(self).__name__, *given, self.horizon_, self.schema_.target)

    def _plan(self, context, windows, backbone, seed):
        wanted, width = self.windows_per_epoch, windows.width
        return Plan.suited(
            len(windows),
            epochs=self.epochs,
            # Both count (series, origin) pairs; a gradient of very few origins would be noise.
            batch_size=max(self.batch_size // width, min(self.batch_size, MIN_ORIGINS)),
            windows_per_epoch=None if wanted is None else -(-wanted // width),
            learning_rate=self.learning_rate or (self.optimizer and own_rate(self.optimizer)) or backbone.learning_rate,
            patience=self.patience,
            time_limit=self.time_limit,
            seed=seed,
            validated=len(self._validation(context, most=1)) > 0,
            start_may_be_best=context.linear_path is not None,
        )

    def _is_trained(self):
        return hasattr(self, "network_") and self.network_.is_trained()

    @property
    def model_(self) -> "keras.Model":
        """The Keras model."""
        if not hasattr(self, "network_"):
            raise AttributeError("model_ exists after fit")
        return self.network_.shown()

    def _forecast(self, panel, origins):
        panel, origins = crop(panel, origins, self.lookback_, self.horizon_)
        buffers = self.scaler_.buffers(panel, self.lookback_, self.horizon_)

        def restore(values, spread=False):
            return self.scaler_.restore(values, panel, origins, spread)

        linear = self.network_.linear_map()
        scaled = (self.network_ if linear is None else Ridge(linear, 0.0)).predict(buffers, origins)
        return forecast_of(scaled if linear is None else scaled[..., None], self.network_.head, restore)

    def _memory(self, panel):
        return self.lookback_

    def _rows_to_train(self):
        return self.lookback_ + self.horizon_

    def _rows_kept(self, panel):
        """Return the rows that a forecast needs, and at least those of a horizon of training windows."""
        return max(self._rows_needed(panel), self.lookback_ + 2 * self.horizon_)


_DATA = (*(f.name for f in fields(Forecaster)), "target_transform", "calendar", "holidays", "fourier")
_NETWORK = ("patch", "normalization", "linear_path", "embed_series")
#: Parameters by subject, as docstrings list them; those of a backbone belong to the network.
PARAMETER_GROUPS = {
    "Data": _DATA,
    "Training": tuple(f.name for f in fields(NeuralForecaster) if f.name not in (*_DATA, *_NETWORK)),
    "Network": _NETWORK,
}


class NamedForecaster(NeuralForecaster):
    """Base of the forecasters named after a backbone, whose hyperparameters are their own."""

    #: The backbone that the forecaster is named after.
    architecture: ClassVar[type[Backbone]]

    def __init_subclass__(cls, **kwargs):
        if cls.__doc__ is None and (text := inspect.getdoc(cls.architecture)):
            name, summary = cls.architecture.__name__, text.split("\n\n")[0]
            cls.__doc__ = f"Forecaster around the `{name}` backbone.\n\n{summary}\n\nReferences are at `{name}`."
        super().__init_subclass__(**kwargs)

    def _architecture(self):
        backbone = type(self).architecture
        return backbone(**{f.name: getattr(self, f.name) for f in fields(backbone)})
