"""Which model suits the data: contenders on the same folds, seeds and time, and a recommendation."""
