from .backtesting import backtest as backtest
from .results import Backtest as Backtest
from .rolling_origin import RollingOrigin as RollingOrigin

__all__ = [
    "Backtest",
    "RollingOrigin",
    "backtest",
]
