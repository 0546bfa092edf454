"""What the Keras backend in use trains on, in words."""

import keras


def describe_devices() -> str:
    """Names of the cards, or the processor and its threads."""
    if keras.backend.backend() == "tensorflow":
        return _of_tensorflow()
    return ", ".join(map(str, keras.distribution.list_devices())) or "the processor"


def _of_tensorflow():
    import tensorflow as tf

    cards = [tf.config.experimental.get_device_details(card) for card in tf.config.list_physical_devices("GPU")]
    names = [card.get("device_name", "a GPU") for card in cards]
    threads = tf.config.threading.get_intra_op_parallelism_threads() or "as many as cores"
    return ", ".join(names) or f"the processor, threads: {threads}"
