"""Networks evaluated by NumPy: the stored graph of a trained network, its operations, and what runs them.

A saved forecaster holds the graph of its network beside the weights, so that it forecasts without TensorFlow or Keras,
which take seconds and hundreds of megabytes to load.
"""
