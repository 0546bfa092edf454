"""Embeddings of high-cardinality categories, with an unknown level."""

from keras import layers, ops

from forecastkit.networks.layers import Dropout, as_uint32

#: Fraction of training windows in which the level of a category is replaced by the unknown level.
UNKNOWN = 0.05


def width_of(codes: int) -> int:
    """Return the width of embeddings of `codes` levels by the rule of thumb of fastai, at most 50."""
    return min(50, round(1.6 * codes**0.56))


class CategoryEmbedding(Dropout):
    """Embedding of the levels of one category, in which code 0 is the unknown level.

    In training the level of a few windows is replaced by the unknown one, so that its embedding is learned as that of
    an average level. Embeddings start at zero, so a level that does not occur in training has no effect.

    Parameters
    ----------
    codes : int
        Number of levels including the unknown one.
    """

    def __init__(self, codes: int, **kwargs):
        super().__init__(UNKNOWN, **kwargs)
        self.table = layers.Embedding(codes, width_of(codes), "zeros")

    def build(self, shape):
        super().build(shape)
        self.table.build(shape)

    def call(self, codes, training=None):
        """Return embeddings (batch, ..., width) of codes (batch, ...)."""
        if training:
            kept = self.random_bits((ops.shape(codes)[0], *[1] * (len(codes.shape) - 1))) >= as_uint32(
                int(self.rate * 2**32)
            )
            codes = ops.where(kept, codes, ops.zeros_like(codes))
        return self.table(codes)
