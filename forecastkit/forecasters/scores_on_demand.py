"""Validation scores that are computed when they are read, so that no fit pays for a reference nobody looks at."""

from dataclasses import replace

#: Learned attributes that hold what such computations need; they are not saved.
PENDING = ("pending_scores_", "fit_data_")


class ScoresOnDemand:
    """The part of a forecaster that computes what a fit has left open."""

    def _with_fit_data(self, panel, weight):
        """Let what is not computed yet be computed from this panel and these weights of its rows."""
        if vars(self).get("fit_data_") is not None:
            self.fit_data_ = replace(self.fit_data_, panel=panel, weight=weight)
        if vars(self).get("pending_scores_") is not None and self.pending_scores_.data is not None:
            self.pending_scores_ = replace(
                self.pending_scores_, data=replace(self.pending_scores_.data, panel=panel, weight=weight)
            )

    @property
    def scores_(self) -> dict:
        """Errors on the validation block; the linear reference is fitted when they are read first."""
        if "scores_" not in vars(self):
            if not hasattr(self, "history_"):
                raise AttributeError("scores_ exists after fit")
            scores = vars(self).get("pending_scores_")
            vars(self)["scores_"] = {} if scores is None else scores.to_dict()
        return vars(self)["scores_"]

    @scores_.setter
    def scores_(self, scores: dict):
        vars(self)["scores_"] = scores
