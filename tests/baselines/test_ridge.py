"""The systems of the linear forecast are solved alike with and without SciPy."""

import sys

import numpy as np
import pytest

from forecastkit.baselines.ridge import solve


def test_weights_are_the_same_without_scipy(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 8)), rng.normal(size=(60, 3))
    gram, cross = x.T @ x, x.T @ y
    wanted = list(solve(gram, cross, (1e-3, 1.0)))
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    for strength, found, other in zip((1e-3, 1.0), solve(gram, cross, (1e-3, 1.0)), wanted, strict=True):
        penalty = strength * np.trace(gram) / 8 * np.eye(8)
        np.testing.assert_allclose((gram + penalty) @ found, cross, atol=1e-9)
        np.testing.assert_allclose(found, other, atol=1e-10)
    indefinite = gram - 1e3 * np.outer(x[0], x[0])
    assert np.isfinite(next(solve(indefinite, cross, (1e-3,)))).all()
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(indefinite)
