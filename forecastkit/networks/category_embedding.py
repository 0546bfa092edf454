"""Embeddings of high-cardinality categories, with an unknown level."""

from keras import layers, ops

from forecastkit.networks.layers import Dropout, whole

#: Part of the training windows in which the level of a category is taken for unknown.
UNKNOWN = 0.05


def width_of(codes: int) -> int:
    """How wide the vectors of so many levels are: the rule of thumb of fastai, at most 50."""
    return min(50, round(1.6 * codes**0.56))


class CategoryEmbedding(Dropout):
    """Vectors of the levels of one category, whose code 0 is the unknown level.

    In training a few windows see no level but the unknown one, so that its vector becomes what serves best where none
    is known. All vectors start at zero: a level that training never meets stays an ordinary one.

    Parameters
    ----------
    codes : int
        Number of levels, the unknown one included.
    """

    def __init__(self, codes: int, **kwargs):
        super().__init__(UNKNOWN, **kwargs)
        self.table = layers.Embedding(codes, width_of(codes), "zeros")

    def build(self, shape):
        super().build(shape)
        self.table.build(shape)

    def call(self, codes, training=None):
        """Codes (batch, ...) as vectors (batch, ..., width)."""
        if training:
            kept = self.draw((ops.shape(codes)[0], *[1] * (len(codes.shape) - 1))) >= whole(int(self.rate * 2**32))
            codes = ops.where(kept, codes, ops.zeros_like(codes))
        return self.table(codes)
