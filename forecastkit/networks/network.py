"""The network shared by all backbones: normalize, patch, embed, backbone, head, denormalize."""

from dataclasses import asdict

import keras
from keras import layers, ops

from forecastkit.networks.backbone import Sizes, check_layer, check_tokens
from forecastkit.networks.category_embedding import CategoryEmbedding
from forecastkit.networks.config import backbone_config, backbone_from_config, dtype_policy
from forecastkit.networks.heads import Head, make_head
from forecastkit.networks.layers import Dropout, draw_seed, own_mask
from forecastkit.networks.linear_scan import padded
from forecastkit.networks.smoothing_maps import LEAST, TEMPERATURE
from forecastkit.networks.temporal_decoder import TemporalDecoder
from forecastkit.networks.variable_selection import VariableTokens
from forecastkit.utils.exceptions import ParameterError


@keras.saving.register_keras_serializable("forecastkit")
class Network(keras.Model):
    """Maps a batch of windows to forecasts in the units of the windows.

    The input is a dict of ``target`` (batch, lookback), in which NaN marks missing values, and depending on the sizes
    ``past`` (batch, lookback, features), ``known`` and ``calendar`` (batch, lookback + horizon, features), ``static``
    (batch, features) and ``series`` (batch,). The output has the shape (batch, horizon, outputs). If windows contain
    all channels, the shapes of target, series and output start with (batch, channels) and the covariates are shared;
    all layers except the backbone treat each channel as a window.

    Parameters
    ----------
    backbone : Backbone
        Hyperparameters of the layer, which is built by the network.
    sizes : Sizes
    head : Head
    normalization : {'last', 'standard', 'mean', 'none'}
        Normalization of each window, which is undone in the forecast: subtraction of the last value (NLinear, Zeng et
        al. 2023), standardization (RevIN, Kim et al. 2022, without the affine part), or division by the mean (DeepAR,
        Salinas et al. 2020), computed with one additional value of 1.
    """

    def __init__(self, backbone, sizes: Sizes, head: Head, normalization: str = "last", **kwargs):
        # Layers may compute in half precision under the active dtype policy. Windows, forecasts and their normalization
        # stay in full precision, because half precision has only two or three digits.
        exact = keras.config.floatx()
        super().__init__(**{"dtype": exact, **kwargs})
        self.made_from, self.layer_policy = backbone, keras.config.dtype_policy().name
        self.sizes, self.output_head, self.normalization = sizes, head, normalization
        self.units, self.broadcasts, self.mixes = backbone.units, backbone.broadcasts, backbone.mixes_channels
        self.selects = backbone.selects_variables
        self.embed_past, self.embed_future, self.embed_static = self.embeddings(backbone)
        self.embed_series = layers.Embedding(sizes.series, self.units, "zeros") if sizes.series else None
        self.tables = {role: [CategoryEmbedding(count) for count in sizes.code_counts(role)] for role, _ in sizes.codes}
        self.backbone = own_mask(check_layer(backbone, backbone.build()))
        self.drop = Dropout(backbone.dropout)
        # A correction begins at 0.
        first = "zeros" if sizes.linear else "glorot_uniform"
        self.head = layers.Dense(sizes.patch * head.raw, kernel_initializer=first, dtype=exact)
        self.steps = TemporalDecoder(sizes.patch, sizes.horizon, head.raw) if sizes.known or sizes.calendar else None

    def embeddings(self, backbone):
        """Return the embedding layers of past, future and static features; None for those without features."""
        sizes = self.sizes
        future_counts = [count for count in (sizes.known, sizes.cycles, sizes.events) if count]
        vectors = {role: [1] * len(sizes.code_counts(role)) for role in ("past", "known", "static")}
        static = ([sizes.static] if sizes.static else []) + vectors["static"]
        if self.selects:
            past = [count for count in (1, sizes.past) if count] + future_counts + vectors["past"] + vectors["known"]
            groups = past, future_counts + vectors["known"], static
            return [VariableTokens(self.units, tuple(counts)) if counts else None for counts in groups]
        # With patches of one step the input weights of a recurrent network are the embedding.
        raw = sizes.patch == 1 and backbone.reads_steps and not (static or sizes.series)
        return (
            layers.Identity() if raw else layers.Dense(self.units, activation=backbone.embedding_activation),
            layers.Dense(self.units, use_bias=False) if future_counts or vectors["known"] else None,
            layers.Dense(self.units, use_bias=False) if static else None,
        )

    def build(self, shape=None):
        self.positions = self.add_weight(
            name="positions",
            shape=(self.sizes.future_tokens, self.units),
            initializer=keras.initializers.RandomNormal(stddev=0.5, seed=draw_seed()),
        )
        if self.sizes.linear:
            shape = self.sizes.lookback, self.sizes.horizon
            self.linear = self.add_weight(name="linear", shape=shape, initializer="zeros", trainable=False)
        if self.sizes.smoothings:
            shape = self.sizes.lookback, self.sizes.smoothings * (self.sizes.horizon + self.sizes.compared)
            self.smoothing = self.add_weight(name="smoothing", shape=shape, initializer="zeros", trainable=False)
        self.built = True

    def get_config(self):
        """Return the configuration for `model.save`: backbone, sizes, head, normalization and layer dtype policy."""
        own = {"backbone": backbone_config(self.made_from), "sizes": asdict(self.sizes)}
        head = {"head": self.output_head.get_config(), "normalization": self.normalization}
        return {**own, **head, "layer_policy": self.layer_policy, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return the network of a configuration, with every layer built."""
        sizes = {**config["sizes"], "codes": tuple(tuple(pair) for pair in config["sizes"]["codes"])}
        with dtype_policy(config["layer_policy"]):
            parts = backbone_from_config(config["backbone"]), Sizes(**sizes), make_head(**config["head"])
            network = cls(*parts, config["normalization"], name=config["name"])
            network.build_layers()
        return network

    def build_layers(self):
        """Build every layer by a call with one window of zeros."""
        window = {name: ops.zeros((1, *shape), dtype) for name, (shape, dtype) in self.sizes.inputs.items()}
        try:
            self(window)
        except ParameterError as error:
            raise error.__context__ or error from None  # Keras adds paragraphs about the call to its message

    def build_from_config(self, config):
        """Do nothing: `from_config` has built every layer."""

    def call(self, inputs, training=None):
        sizes = self.sizes
        inputs = self.embed_categories(self.fold_channels(inputs), training)
        values, observed, center, scale = self.normalise(inputs["target"])
        past, future, *static = self.embed(inputs, *self.patches(inputs, values, observed))
        past, future, mask = map(self.unfold_channels, (past, future, self.token_mask(observed)))
        more = {"static": static[0]} if self.selects else {}
        tokens = self.backbone(past, future, mask=mask, training=training, **more)
        check_tokens(self.made_from, tokens, future)
        raw = self.head(self.drop(tokens, training=training))
        raw = ops.reshape(raw, (-1, sizes.future_tokens * sizes.patch, self.output_head.raw))
        raw = raw[:, : sizes.horizon]
        if self.steps is not None:
            tokens = ops.reshape(tokens, (-1, sizes.future_tokens, tokens.shape[-1]))
            raw = raw + ops.cast(
                self.steps(self.known_steps(inputs), self.patchify(values[..., None]), tokens), raw.dtype
            )
        shaped = self.output_head.shape(raw)
        unit = ops.reshape(inputs["unit"], (-1, 1, 1)) if sizes.unit else None
        if sizes.linear:
            center = self.linear_forecast(inputs["target"])
        forecast = self.output_head.place(shaped, center[..., None], scale[..., None], unit)
        return ops.reshape(forecast, (-1, *sizes.channel_shape, *forecast.shape[1:])) if sizes.channels else forecast

    def linear_forecast(self, window):
        """Return the linear forecast (batch, horizon), which the network corrects, of windows in their own units."""
        if self.sizes.masked:
            window = filled_forward(window)
        last = window[:, -1:]
        forecast = ops.matmul(window - last, self.linear)
        if self.sizes.smoothings:
            forecast = 0.5 * (forecast + self.smoothed(window - last))
        return forecast + last

    def smoothed(self, window):
        """Return the forecast of `forecastkit.networks.smoothing_maps.SmoothingMaps`, whose matrix is a weight."""
        sizes = self.sizes
        found = ops.matmul(window, self.smoothing)
        found = ops.reshape(found, (-1, sizes.smoothings, sizes.horizon + sizes.compared))
        error = ops.mean(ops.abs(found[:, :, sizes.horizon :]), axis=2)
        least = ops.maximum(TEMPERATURE * ops.min(error, axis=1, keepdims=True), LEAST)
        weight = ops.softmax(-error / least)
        return ops.sum(weight[:, :, None] * found[:, :, : sizes.horizon], axis=1)

    def fold_channels(self, inputs):
        """Return the inputs with each channel as a window of its own."""
        channels = self.sizes.channels
        if not channels:
            return inputs
        own = {name: (-1, *inputs[name].shape[2:]) for name in ("target", "series", "unit") if name in inputs}
        return {
            name: ops.reshape(given, own[name]) if name in own else ops.repeat(given, channels, axis=0)
            for name, given in inputs.items()
        }

    def embed_categories(self, inputs, training):
        """Return the inputs with the codes of each role replaced by a list of embeddings (batch, [time,] width)."""
        found = {}
        for role, tables in self.tables.items():
            codes = inputs[f"{role}_codes"]
            found[f"{role}_codes"] = [table(codes[..., i], training=training) for i, table in enumerate(tables)]
        return {**inputs, **found} if found else inputs

    def unfold_channels(self, windows):
        """Reshape (windows, ...) to (batch, channels, ...) for a backbone that mixes channels."""
        if windows is None or not self.mixes:
            return windows
        return ops.reshape(windows, (-1, max(self.sizes.channels, 1), *windows.shape[1:]))

    def normalise(self, window):
        """Normalize windows (batch, lookback).

        Returns
        -------
        values : tensor of shape (batch, lookback)
            Normalized values, 0 where missing.
        observed : tensor of shape (batch, lookback) or None
            1 where observed; None if no value is missing.
        center, scale : tensor of shape (batch, 1)
        """
        if not self.sizes.masked:
            observed, count = None, self.sizes.lookback
        else:
            missing = ops.isnan(window)
            window = ops.where(missing, ops.zeros_like(window), window)
            observed = 1.0 - ops.cast(missing, window.dtype)
            count = ops.maximum(ops.sum(observed, axis=1, keepdims=True), 1.0)
        center, scale = self.center_and_scale(window, observed, count)
        values = (window - center) / scale
        return (values if observed is None else values * observed), observed, center, scale

    def center_and_scale(self, window, observed, count):
        """Return the center and scale (batch, 1) of windows."""
        one = ops.ones_like(window[:, :1])
        if self.normalization == "none":
            return ops.zeros_like(one), one
        if self.normalization == "mean":
            return ops.zeros_like(one), (ops.sum(ops.abs(window), axis=1, keepdims=True) + 1.0) / (count + 1.0)
        if self.normalization == "last":
            return (window[:, -1:] if observed is None else last_observed(window, observed)), one
        center = ops.sum(window, axis=1, keepdims=True) / count
        deviation = window - center if observed is None else (window - center) * observed
        return center, ops.sqrt(ops.sum(deviation * deviation, axis=1, keepdims=True) / count + 1e-5)

    def patches(self, inputs, values, observed):
        """Return lists of features (batch, tokens, patch * columns) by role, for past and future tokens."""
        sizes = self.sizes
        target = self.patchify(values[..., None])
        if observed is not None:
            target = ops.concatenate([target, self.patchify(observed[..., None])], axis=-1)
        past, future = [target], []
        if sizes.past:
            past.append(self.patchify(fill_with_mean(inputs["past"])))
        if sizes.known:
            self.append_patches(fill_with_mean(inputs["known"]), past, future)
        if sizes.cycles:
            # The calendar at the first step of a patch determines that of all its steps.
            calendar = inputs["calendar"][..., : sizes.cycles]
            extra = sizes.past_tokens * sizes.patch - sizes.lookback
            # An incomplete first patch starts at its first actual step, because padding has no calendar.
            start = ops.concatenate([calendar[:, :1]] * extra + [calendar[:, : sizes.lookback]], axis=1)
            past.append(start[:, :: sizes.patch])
            future.append(calendar[:, sizes.lookback :: sizes.patch])
        if sizes.events:
            self.append_patches(inputs["calendar"][..., sizes.cycles :], past, future)
        past += [self.patchify(vectors) for vectors in inputs.get("past_codes", ())]
        for vectors in inputs.get("known_codes", ()):
            self.append_patches(vectors, past, future)
        return past, future

    def known_steps(self, inputs):
        """Return future covariates and calendar of the steps to forecast, (batch, horizon, features)."""
        known = [fill_with_mean(inputs["known"])] if self.sizes.known else []
        known += [inputs["calendar"]] if self.sizes.calendar else []
        return ops.concatenate([given[:, self.sizes.lookback :] for given in known], axis=-1)

    def append_patches(self, steps, past, future):
        """Append patches of (batch, lookback + horizon, features) to the lists of past and future features."""
        past.append(self.patchify(steps[:, : self.sizes.lookback]))
        future.append(self.patchify(steps[:, self.sizes.lookback :], right=True))

    def embed(self, inputs, past, future):
        """Return past tokens (batch, past tokens, units) and future tokens (batch, future tokens, units)."""
        if self.selects:
            return self.embed_variables(inputs, past, future)
        past = self.embed_past(ops.concatenate(past, axis=-1))
        tokens = ops.cast(self.positions, past.dtype)[None]
        if future:
            tokens = tokens + self.embed_future(ops.concatenate(future, axis=-1))
        static = self.static_features(inputs)
        for layer, given in ((self.embed_static, ops.concatenate(static, axis=-1) if static else None),
                             (self.embed_series, inputs.get("series"))):  # fmt: skip
            if layer is not None:
                static_token = layer(given)[:, None]
                past, tokens = past + static_token, tokens + static_token
        if not self.broadcasts:
            tokens = tokens + ops.zeros_like(past[:, :1, :1])
        return past, tokens

    def embed_variables(self, inputs, past, future):
        """Return past, future and static tokens with an axis of variables before the units; static may be None."""
        past = self.embed_past(past)
        tokens = ops.cast(self.positions, past.dtype)[None, :, None] + ops.zeros_like(past[:, :1, :1])
        if future:
            tokens = ops.concatenate([tokens, self.embed_future(future)], axis=2)
        static = []
        if self.embed_static is not None:
            static.append(self.embed_static([given[:, None] for given in self.static_features(inputs)]))
        if self.embed_series is not None:
            static.append(self.embed_series(inputs["series"])[:, None, None])
        return past, tokens, ops.concatenate(static, axis=2) if static else None

    def static_features(self, inputs):
        """Return the list of static features and embeddings, each (batch, features)."""
        return ([inputs["static"]] if self.sizes.static else []) + list(inputs.get("static_codes", ()))

    def patchify(self, steps, right=False):
        """Reshape (batch, time, features) into patches (batch, tokens, patch * features), zero-padded on one side."""
        patch, features = self.sizes.patch, steps.shape[-1]
        tokens = -(-steps.shape[1] // patch)
        extra = tokens * patch - steps.shape[1]
        if extra:
            steps = ops.pad(steps, [[0, 0], [0, extra] if right else [extra, 0], [0, 0]])
        return ops.reshape(steps, (-1, tokens, patch * features))

    def token_mask(self, observed):
        """Return 1 for tokens (batch, tokens) with an observed value, None if all values are observed."""
        return None if observed is None else ops.max(self.patchify(observed[..., None]), axis=-1)


def fill_with_mean(covariates):
    """Replace missing values of scaled covariates by their mean, 0."""
    return ops.where(ops.isnan(covariates), ops.zeros_like(covariates), covariates)


def last_observed(window, observed):
    """Return the last observed value of each window (batch, 1); 0 if there is none."""
    # Whole numbers: Keras reads the bits of floating-point ones in argmax, which LiteRT cannot.
    places = ops.arange(1, window.shape[1] + 1, dtype="int32") * ops.cast(observed, "int32")
    last = ops.argmax(places, axis=1)
    return ops.take_along_axis(window, last[:, None], axis=1)


def filled_forward(window):
    """Fill missing values of windows (batch, time) forward, then with the first observed value; 0 if there is none."""
    missing = ops.isnan(window)
    time = ops.arange(1, window.shape[1] + 1, dtype="int32")
    latest, step = ops.where(missing, 0, time[None]), 1
    while step < window.shape[1]:  # the running maximum, by doubling
        latest = ops.maximum(latest, padded(latest[:, :-step], step, 0))
        step *= 2
    first = ops.argmin(ops.cast(missing, "int32"), axis=1)[:, None]
    place = ops.maximum(latest - 1, ops.cast(first, "int32"))
    return ops.take_along_axis(ops.where(missing, ops.zeros_like(window), window), place, axis=1)
