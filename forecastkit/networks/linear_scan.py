"""Linear recurrences along time by a parallel scan, in `keras.ops`."""

from keras import ops

#: Lengths that are walked step by step, and the most steps of a block: more make XLA compile for long.
SHORT, LONGEST = 8, 16


def delayed(tokens, steps: int):
    """Tokens (batch, time, ...) moved `steps` later, zeros before the first."""
    length = tokens.shape[1]
    steps = min(steps, length)
    if not steps:
        return tokens
    return padded(tokens[:, : length - steps], steps, 0)


def padded(tokens, before: int, after: int):
    """Tokens (batch, time, ...) with so many zeros before the first and after the last."""
    return ops.pad(tokens, [[0, 0], [before, after], *[[0, 0]] * (len(tokens.shape) - 2)])


@ops.custom_gradient
def linear_scan(keep, enter):
    """All states of ``h_t = keep_t * h_{t-1} + enter_t``, from a state of 0 before the first.

    Nothing is divided and no logarithm taken: where no `keep` is above 1 all is stable, closed gates too. The gradient
    is the same recurrence run backwards, so that beside the states nothing is kept in memory.

    Parameters
    ----------
    keep, enter : tensor of shape (batch, time, ...)
        Of one shape; the time must be static.

    Returns
    -------
    states : tensor of their shape

    References
    ----------
    Martin and Cundy (2018), "Parallelizing linear recurrent neural nets over sequence length", ICLR, for the gradient;
    `walk_blocks` says how it is computed.
    """
    states = walk(keep, enter)

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream  # torch hands over the arguments, too
        back = walk(padded(keep[:, 1:], 0, 1), upstream, reverse=True)
        return back * delayed(states, 1), back

    return states, gradient


def walk(keep, enter, reverse=False):
    """The recurrence in time, or with `reverse` against it."""
    if enter.shape[1] > SHORT:
        return walk_blocks(keep, enter, reverse)
    return ops.stack(steps(cut(keep), cut(enter), reverse), axis=1)


def walk_blocks(keep, enter, reverse):
    """The recurrence in blocks side by side: to the end of each, from end to end, and through each from its true start.

    Work is linear in the length, and of its square root's order are the steps that must wait for each other (the
    reduce-then-scan of Blelloch 1990, "Prefix sums and their applications", with wide blocks). On two cores this is
    several times faster than doubling or `ops.associative_scan`, whose log-many rounds pass over all of the memory.
    """
    length = enter.shape[1]
    size = min(round(length**0.5), LONGEST)
    count = -(-length // size)
    shape = (-1, count, size, *enter.shape[2:])
    keeps, enters = (cut(ops.reshape(padded(x, 0, count * size - length), shape), axis=2) for x in (keep, enter))
    ends = walk(product(keeps), steps(keeps, enters, reverse)[0 if reverse else -1], reverse)
    starts = padded(ends[:, 1:], 0, 1) if reverse else delayed(ends, 1)
    states = ops.stack(steps(keeps, enters, reverse, starts), axis=2)
    return ops.reshape(states, (-1, count * size, *enter.shape[2:]))[:, :length]


def steps(keeps, enters, reverse, state=None):
    """The states after each of a list of steps, in the order of time."""
    states = []
    for keep, enter in list(zip(keeps, enters, strict=True))[:: -1 if reverse else 1]:
        state = enter if state is None else keep * state + enter
        states.append(state)
    return states[:: -1 if reverse else 1]


def cut(tokens, axis=1):
    """The steps along an axis as a list."""
    return list(ops.unstack(tokens, axis=axis))


def product(factors):
    """All factors multiplied."""
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def spread_memories(length: int):
    """Initializer of biases of gates that let in: units remember from two tokens to `length` of them.

    A gate of ``sigmoid(-log(T - 1))`` lets in 1 / T of the new and so remembers about T tokens.
    """

    def start(shape, dtype=None):
        return -ops.log(ops.linspace(1.0, max(length - 1.0, 1.0), shape[0], dtype=dtype or "float32"))

    return start
