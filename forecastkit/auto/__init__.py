"""A forecaster that finds its members itself: candidates, a search over folds within seconds, an ensemble, a refit."""
