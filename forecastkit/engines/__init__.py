"""Engines run training steps and predict batches; one per Keras backend and way of distributing."""


def make_engine(network, head, **options):
    """The engine of the Keras backend in use: our own TensorFlow steps, or plain Keras for the others."""
    import keras

    if keras.backend.backend() == "tensorflow":
        from forecastkit.engines.tensorflow import TensorFlowEngine

        return TensorFlowEngine(network, head, **options)
    from forecastkit.engines.plain import PlainEngine

    return PlainEngine(network, head, **options)
