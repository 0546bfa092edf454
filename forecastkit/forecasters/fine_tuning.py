"""Training a fitted network further: at another learning rate, or its last layers only."""

from typing import Self

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_choice, check_real, refuse

#: What `partial_fit` trains.
TRAINED = ("all", "head")


class FineTuning:
    """Mixin: `partial_fit` of forecasters around a network."""

    def partial_fit(
        self, X: Data, y: Data | None = None, *, learning_rate: float | None = None, train: str = "all"
    ) -> Self:
        """Add newer rows to the history and continue training; scales and sizes stay. The first call is a `fit`.

        A loaded forecaster continues training on these rows and those stored in its file.

        Parameters
        ----------
        X, y
            As in `fit`; known rows are replaced.
        learning_rate : float, optional
            Peak of the learning rate schedule; by default 0.3 times that of `fit`.
        train : {'all', 'head'}
            Whether all weights are trained, or only those of the last layers, after the backbone.

        Returns
        -------
        self

        Raises
        ------
        InputError
            As in `fit`, if a loaded forecaster has too few rows to continue training, and if layers would be frozen
            before they were trained; the forecaster is then unchanged.
        """
        where = f"{type(self).__name__}.partial_fit"
        check_choice(where, "train", train, TRAINED)
        check_real(where, "learning_rate", learning_rate, 1e-12, 10.0, optional=True)
        if not hasattr(self, "history_") and (train != "all" or learning_rate is not None):
            rule = "learning_rate= and train= are for forecasters that are fitted"
            refuse(where, rule, "one that is not", "Call fit first.", ParameterError)
        return self._partial_fit(X, y, learning_rate=learning_rate, train=train)
