"""Pre-training of `forecastkit.PretrainedForecaster`: synthetic series, training, evaluation. Not installed."""
