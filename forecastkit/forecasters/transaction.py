"""All or nothing: a call that fails leaves a forecaster, and the forecasters in it, as they were."""

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def restored(forecaster: object, when: Callable[[BaseException], bool] = lambda error: True) -> Iterator[None]:
    """Put back what the forecaster and its members had learned where the block raises and `when` says so.

    Networks are kept as their weights alone: until the block is over there is never a second compiled network.

    Parameters
    ----------
    forecaster : Forecaster
    when : callable, optional
        Takes the exception. Default: always.
    """
    before = [(part, {name: _kept(value) for name, value in vars(part).items()}) for part in _parts(forecaster)]
    try:
        yield
    except BaseException as error:
        if when(error):
            for part, attributes in before:
                vars(part).clear()
                vars(part).update(attributes)
        raise


def _parts(forecaster):
    """The forecaster, and those among what it learned."""
    yield forecaster
    for name, value in vars(forecaster).items():
        if name.endswith("_"):
            for member in value if isinstance(value, list) else [value]:
                if hasattr(member, "_set_state"):
                    yield from _parts(member)


def _kept(value):
    """What a later change in place does not reach."""
    # A network is here only where its module is loaded; an import would load Keras for forecasters without one.
    module = sys.modules.get("forecastkit.training.trained_network")
    if module is not None and isinstance(value, module.TrainedNetwork):
        return copy.copy(value)
    return list(value) if isinstance(value, list) else value
