"""Tune: parameters proposed by keras-tuner, judged on rolling-origin folds, each trial in a process of its own."""
