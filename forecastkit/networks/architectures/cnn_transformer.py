"""Layers: Transformer with a causal convolution before its blocks."""

import keras


class ConvolutionalEncoder(keras.layers.Layer):
    """Residual causal convolution over past tokens, followed by an encoder over past and future tokens."""

    def __init__(self, kernel, units, encoder, **kwargs):
        super().__init__(**kwargs)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.convolution = keras.layers.Conv1D(units, kernel, padding="causal", activation="gelu")
        self.encoder = encoder

    def call(self, past, future, mask=None, training=None):
        past = past + self.convolution(self.norm(past))
        return self.encoder(past, future, mask=mask, training=training)
