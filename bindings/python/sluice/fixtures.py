"""The pytest plugin of sluice: `sluice_simulation`, a fresh simulation for each test. pytest finds it by itself."""

from __future__ import annotations

import pytest

from sluice.testing import Simulation


@pytest.fixture
def sluice_simulation() -> Simulation:
    """Scripted upstreams and a clock that is moved by hand; see `sluice.testing`."""
    return Simulation(seed=1)
