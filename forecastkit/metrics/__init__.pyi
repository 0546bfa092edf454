from .functions import (
    bias as bias,
)
from .functions import (
    coverage as coverage,
)
from .functions import (
    crps_gaussian as crps_gaussian,
)
from .functions import (
    crps_quantiles as crps_quantiles,
)
from .functions import (
    crps_sample as crps_sample,
)
from .functions import (
    mae as mae,
)
from .functions import (
    mase as mase,
)
from .functions import (
    mse as mse,
)
from .functions import (
    msis as msis,
)
from .functions import (
    owa as owa,
)
from .functions import (
    pinball as pinball,
)
from .functions import (
    rmse as rmse,
)
from .functions import (
    rmsse as rmsse,
)
from .functions import (
    seasonal_scale as seasonal_scale,
)
from .functions import (
    seasonal_scale_squared as seasonal_scale_squared,
)
from .functions import (
    skill as skill,
)
from .functions import (
    smape as smape,
)
from .functions import (
    wape as wape,
)
from .functions import (
    winkler as winkler,
)
from .functions import (
    wql as wql,
)
from .score_table import score_table as score_table

__all__ = [
    "bias",
    "coverage",
    "crps_gaussian",
    "crps_quantiles",
    "crps_sample",
    "mae",
    "mase",
    "mse",
    "msis",
    "owa",
    "pinball",
    "rmse",
    "rmsse",
    "score_table",
    "seasonal_scale",
    "seasonal_scale_squared",
    "skill",
    "smape",
    "wape",
    "winkler",
    "wql",
]
