"""How the tests are dealt to the workers: a file each, but for rooms in which files share what takes a minute to make."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/backfill/",)


class Rooms(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return next((room for room in TOGETHER if nodeid.startswith(room)), super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Rooms:
    """A hook of xdist's."""
    return Rooms(config, log)
