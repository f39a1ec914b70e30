"""Exit codes, and which error means which."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from rich.console import Console


class Exit(IntEnum):
    """What a command says to the shell: what a scheduler or a script needs to tell apart."""

    OK = 0
    FAILED = 1
    SETTINGS = 2  # wrong settings, input files or arguments
    PARTIAL = 3  # published, but a source could not be read whole
    BLOCKED = 4  # an invariant does not hold: the file of the last good run stands
    LOCKED = 5  # another process holds the warehouse


# By name, so that telling the error of a quick command does not import DuckDB or Prefect.
TOLD = {
    "WrongSettingsError": Exit.SETTINGS,
    "InputError": Exit.SETTINGS,
    "StillNamedError": Exit.SETTINGS,
    "WorldError": Exit.SETTINGS,
    "FaultError": Exit.SETTINGS,
    "RecordingError": Exit.SETTINGS,
    "UnknownScopeError": Exit.SETTINGS,
    "WarehouseLocked": Exit.LOCKED,
    "WarehouseError": Exit.FAILED,
    "ConnectorError": Exit.FAILED,
    "LandingError": Exit.FAILED,
    "BuildError": Exit.FAILED,
    "ClusterError": Exit.FAILED,
    "PublishError": Exit.FAILED,
}


def guarded(command: Callable[[], object]) -> int:
    """Run a command; an error that is meant for the reader is printed without a traceback. Returns the exit code."""
    try:
        code = command()
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped", style="bold red")
        return 130
    except Exception as error:
        known = next((TOLD[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in TOLD), None)
        if known is None:
            raise
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return known
    return int(code) if isinstance(code, int) else Exit.OK
