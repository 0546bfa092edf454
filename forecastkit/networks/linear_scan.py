"""Linear recurrences along time by a parallel scan, in `keras.ops`."""

from keras import ops

#: Longest sequence that is scanned step by step; longest block (longer ones increase the compile time of XLA).
MAX_SEQUENTIAL, MAX_BLOCK = 8, 16


def delayed(tokens, steps: int):
    """Shift tokens (batch, time, ...) by `steps` to later times; zeros fill the beginning."""
    length = tokens.shape[1]
    steps = min(steps, length)
    if not steps:
        return tokens
    return padded(tokens[:, : length - steps], steps, 0)


def padded(tokens, before: int, after: int):
    """Pad tokens (batch, time, ...) with `before` zeros at the beginning and `after` at the end."""
    return ops.pad(tokens, [[0, 0], [before, after], *[[0, 0]] * (len(tokens.shape) - 2)])


@ops.custom_gradient
def linear_scan(keep, enter):
    """Return all states of ``h_t = keep_t * h_{t-1} + enter_t`` with an initial state of 0.

    The computation uses neither division nor logarithms, so it is stable for ``keep`` up to 1, including 0. The
    gradient is the same recurrence in reverse, so that only the states are kept in memory.

    Parameters
    ----------
    keep, enter : tensor of shape (batch, time, ...)
        The time axis must be static.

    Returns
    -------
    states : tensor of the same shape

    References
    ----------
    Martin and Cundy (2018), "Parallelizing linear recurrent neural nets over sequence length", ICLR (the gradient).
    """
    states = scan(keep, enter)

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream  # the torch backend passes it positionally
        back = scan(padded(keep[:, 1:], 0, 1), upstream, reverse=True)
        return back * delayed(states, 1), back

    return states, gradient


def scan(keep, enter, reverse=False):
    """Compute the recurrence forward in time or, with `reverse`, backward."""
    if enter.shape[1] > MAX_SEQUENTIAL:
        return scan_blocks(keep, enter, reverse)
    return ops.stack(scan_steps(unstacked(keep), unstacked(enter), reverse), axis=1)


def scan_blocks(keep, enter, reverse):
    """Compute the recurrence in parallel blocks (reduce-then-scan).

    First the final state of each block from a zero state is computed, then the true initial states by a scan over the
    blocks, then all states of each block. The work is linear in the length; the number of sequential steps is
    proportional to its square root. On two cores this is several times faster than recursive doubling or
    `ops.associative_scan`, whose logarithmic number of rounds traverses all memory.

    References
    ----------
    Blelloch (1990), "Prefix sums and their applications".
    """
    length = enter.shape[1]
    size = min(round(length**0.5), MAX_BLOCK)
    count = -(-length // size)
    shape = (-1, count, size, *enter.shape[2:])
    keeps, enters = (unstacked(ops.reshape(padded(x, 0, count * size - length), shape), axis=2) for x in (keep, enter))
    ends = scan(product(keeps), scan_steps(keeps, enters, reverse)[0 if reverse else -1], reverse)
    starts = padded(ends[:, 1:], 0, 1) if reverse else delayed(ends, 1)
    states = ops.stack(scan_steps(keeps, enters, reverse, starts), axis=2)
    return ops.reshape(states, (-1, count * size, *enter.shape[2:]))[:, :length]


def scan_steps(keeps, enters, reverse, state=None):
    """Return the states after each of a list of steps, in the order of time."""
    states = []
    for keep, enter in list(zip(keeps, enters, strict=True))[:: -1 if reverse else 1]:
        state = enter if state is None else keep * state + enter
        states.append(state)
    return states[:: -1 if reverse else 1]


def unstacked(tokens, axis=1):
    """Return the slices along an axis as a list."""
    return list(ops.unstack(tokens, axis=axis))


def product(factors):
    """Return the product of all factors."""
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def spread_memories(length: int):
    """Return an initializer of input gate biases that spreads memory lengths from two tokens to `length`.

    A gate of ``sigmoid(-log(T - 1))`` lets in 1 / T of each input and therefore averages over about T tokens.
    """

    def start(shape, dtype=None):
        return -ops.log(ops.linspace(1.0, max(length - 1.0, 1.0), shape[0], dtype=dtype or "float32"))

    return start
