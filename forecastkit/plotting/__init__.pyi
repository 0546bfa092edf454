from .forecasts import (
    plot_backtest as plot_backtest,
)
from .forecasts import (
    plot_comparison as plot_comparison,
)
from .forecasts import (
    plot_forecast as plot_forecast,
)
from .interpretation import (
    plot_attention as plot_attention,
)
from .interpretation import (
    plot_attribution as plot_attribution,
)
from .one_call import (
    plot as plot,
)

__all__ = [
    "plot",
    "plot_attention",
    "plot_attribution",
    "plot_backtest",
    "plot_comparison",
    "plot_forecast",
]
