"""Evaluation of networks by NumPy: the stored graph of a trained network, its operations, and their evaluation.

The file of a forecaster contains the graph of its network beside the weights, so that forecasts do not need TensorFlow
or Keras, which take seconds and hundreds of megabytes to load.
"""

__all__ = []
