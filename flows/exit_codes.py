"""Exit codes, and which error means which."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from enum import IntEnum

from rich.console import Console

from flows import pages


class Exit(IntEnum):
    """What a command says to the shell: what a scheduler or a script needs to tell apart. docs/operate/README.md lists them."""

    OK = 0
    FAILED = 1  # none of the following: a model, a page that was not expected
    SETTINGS = 2  # wrong settings, input files or arguments
    PARTIAL = 3  # published, but a source could not be read whole
    BLOCKED = 4  # an invariant does not hold: the file of the last good run stands
    LOCKED = 5  # another process holds the warehouse
    STORAGE = 6  # disk full, folder not writable, warehouse damaged
    STALE = 7  # of `status`: numbers are late
    UNHEALTHY = 8  # of `status`: something failed
    PREFECT = 9  # the Prefect server does not answer
    STOPPED = 130  # by hand (Ctrl-C), as shells count it


# By name, so that telling the error of a quick command does not import DuckDB or Prefect.
TOLD = {
    "WrongSettingsError": Exit.SETTINGS,
    "InputError": Exit.SETTINGS,
    "StillNamedError": Exit.SETTINGS,
    "KeepsOldVersionsError": Exit.SETTINGS,
    "WorldError": Exit.SETTINGS,
    "FaultError": Exit.SETTINGS,
    "RecordingError": Exit.SETTINGS,
    "UnknownScopeError": Exit.SETTINGS,
    "ExplainError": Exit.SETTINGS,
    "WarehouseLocked": Exit.LOCKED,
    "WarehouseError": Exit.STORAGE,
    "ConnectorError": Exit.FAILED,
    "LandingError": Exit.FAILED,
    "BuildError": Exit.FAILED,
    "ClusterError": Exit.FAILED,
    "ModelError": Exit.FAILED,
    "PublishError": Exit.FAILED,
    "PrefectUnreachableError": Exit.PREFECT,
}


def exit_of(error: BaseException) -> Exit | None:
    """The exit code of an error that is meant for the reader; None for one that nobody expected."""
    if isinstance(error, KeyboardInterrupt):
        return Exit.STOPPED
    return next((TOLD[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in TOLD), None)


def let_go(error: BaseException | None) -> None:
    """Prefect keeps the error, and with it everything that its frames hold: also what DuckDB complains of, at length, at the very end."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def guarded(command: Callable[[], object]) -> int:
    """Run a command; an error that is meant for the reader is printed without a traceback. Returns the exit code."""
    try:
        code = command()
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped", style="bold red")
        return Exit.STOPPED
    except Exception as error:
        known, console = exit_of(error), Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
        if known is None:
            console.print_exception(word_wrap=False)
            known = Exit.FAILED
        else:
            console.print(str(error), style="red")
        console.print(f"What to do: {pages.told(pages.page_of(error))}")
        let_go(error)
        return known
    return int(code) if isinstance(code, int) else Exit.OK
