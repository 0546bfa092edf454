"""A small Transformer encoder of patches, an alternative to the recurrent body of the pre-trained network.

References
----------
Vaswani et al. (2017), "Attention is all you need", NeurIPS. Xiong et al. (2020), "On layer normalization in the
Transformer architecture", ICML (normalization before each part).
"""

from keras import initializers, layers, ops

from forecastkit.networks.attention import attend, split_heads
from forecastkit.pretrained.forward import BLOCKS, HEADS


class PatchTransformer(layers.Layer):
    """Returns the state (batch, units) of the latest patch after blocks of attention and dense layers.

    Parameters
    ----------
    units : int
        Width of the tokens, a multiple of `HEADS`.
    seeds : iterator of int
        Of the initial weights.
    """

    def __init__(self, units: int, seeds, **kwargs):
        super().__init__(**kwargs)
        self.units, self.seeds = units, seeds

    def build(self, shape):
        """Create the weights for patches of shape (batch, patches, channels)."""
        _, patches, channels = shape
        sizes = {"embed": (channels, self.units), "position": (patches, self.units)}
        for block in range(BLOCKS):
            sizes[f"attention_{block}"] = self.units, 3 * self.units
            sizes[f"merge_{block}"] = self.units, self.units
            sizes[f"widen_{block}"] = self.units, 2 * self.units
            sizes[f"narrow_{block}"] = 2 * self.units, self.units
        for name, size in sizes.items():
            start = initializers.GlorotUniform(next(self.seeds))
            setattr(self, name, self.add_weight(name=name, shape=size, initializer=start))

    def call(self, patches):
        tokens = ops.matmul(patches, self.embed) + self.position
        for block in range(BLOCKS):
            attention, merge, widen, narrow = (
                getattr(self, f"{name}_{block}") for name in ("attention", "merge", "widen", "narrow")
            )
            seen = attend(*split_heads(ops.matmul(normalized(tokens), attention), HEADS, 3))
            tokens = tokens + ops.matmul(seen, merge)
            tokens = tokens + ops.matmul(ops.silu(ops.matmul(normalized(tokens), widen)), narrow)
        return normalized(tokens[:, -1])


def normalized(tokens):
    """Divide tokens by their root mean square."""
    return tokens * ops.rsqrt(ops.mean(tokens * tokens, axis=-1, keepdims=True) + 1e-5)
