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
        """Add newer rows to the history and train on, scales and sizes as they are; the first call is a `fit`.

        A loaded forecaster trains on with these rows and those that its file holds.

        Parameters
        ----------
        X, y
            As `fit` takes them; rows already known are replaced.
        learning_rate : float, optional
            Where the schedule of this training starts. Default: 0.3 times that of `fit`.
        train : {'all', 'head'}
            What is trained: all weights, or those of the last layers, from the tokens of the backbone to the forecast,
            while the others are frozen.

        Returns
        -------
        self

        Raises
        ------
        InputError
            As `fit`, where a loaded forecaster has too few rows to train on, and where layers are to be frozen that
            were never trained. The forecaster is as it was then.
        """
        where = f"{type(self).__name__}.partial_fit"
        check_choice(where, "train", train, TRAINED)
        check_real(where, "learning_rate", learning_rate, 1e-12, 10.0, optional=True)
        if not hasattr(self, "history_") and (train != "all" or learning_rate is not None):
            rule = "learning_rate= and train= are for forecasters that are fitted"
            refuse(where, rule, "one that is not", "Call fit first.", ParameterError)
        return self._partial_fit(X, y, learning_rate=learning_rate, train=train)
