"""Devices for training, and conditions that prevent the use of cuDNN."""

import keras

from forecastkit.networks.layers import seeded, sublayers

GATED = (keras.layers.LSTM, keras.layers.GRU)
#: Text for the CPU.
PROCESSOR = "the processor"


def describe_devices() -> str:
    """Return the names of the GPUs, or the CPU and its number of threads."""
    if keras.backend.backend() == "tensorflow":
        return _of_tensorflow()
    return ", ".join(map(str, keras.distribution.list_devices())) or PROCESSOR


def _of_tensorflow():
    import tensorflow as tf

    cards = [tf.config.experimental.get_device_details(card) for card in tf.config.list_physical_devices("GPU")]
    names = [card.get("device_name", "a GPU") for card in cards]
    threads = tf.config.threading.get_intra_op_parallelism_threads() or "as many as cores"
    return ", ".join(names) or f"{PROCESSOR}, threads: {threads}"


def cudnn_hindrance(backbone) -> str:
    """Return why the recurrent layers of a backbone cannot use cuDNN on an NVIDIA GPU under TensorFlow, as a sentence.

    It is empty if they can or there are none. The rules are those of Keras' `LSTM` and `GRU`. Whether a GPU and cuDNN
    are installed is not checked.
    """
    with seeded(0):
        layers = [layer for layer in sublayers(backbone.build()) if isinstance(layer, keras.layers.RNN)]
    name = type(backbone).__name__
    for layer in layers:
        if not isinstance(layer, GATED):
            kind = type(layer).__name__
            return f"{name} steps through {kind} layers, for which there is no cuDNN kernel; LSTM and GRU have one."
        if wrong := _settings(layer):
            return f"{name} has {wrong}, which cuDNN does not compute."
    return ""


def _settings(layer):
    """Return the first setting of a layer that cuDNN does not support, or an empty string."""
    activations, cell = keras.activations, layer.cell
    return next(
        (
            f"{type(layer).__name__} layers with {text}"
            for wrong, text in (
                (cell.activation is not activations.tanh, "an activation other than tanh"),
                (cell.recurrent_activation is not activations.sigmoid, "a recurrent activation other than sigmoid"),
                (cell.recurrent_dropout, "recurrent_dropout"),
                (not cell.use_bias, "use_bias=False"),
                (not getattr(cell, "reset_after", True), "reset_after=False"),
                (layer.unroll, "unroll=True"),
                (layer.use_cudnn is False, "use_cudnn=False"),
            )
            if wrong
        ),
        "",
    )
