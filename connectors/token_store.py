"""Where refresh tokens that their vendor replaces at every use are kept: a file an account, beside the warehouse, mode 0600.

What a settings file says of such a token is true once. So the newest one is on disk, safe from a power cut, before the access token
that came with it is used; processes that share a data folder take turns, and whoever comes second finds the first one's token.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from .landing_folder import appearing
from .stream import ConnectorError


class Kept(msgspec.Struct, frozen=True):
    """The newest tokens. origin: digest of the token in the settings that they come from; previous: the refresh token before.

    expires_at: of the access token, Unix seconds.
    """

    origin: str
    refresh_token: str
    previous: str = ""
    access_token: str = ""
    expires_at: float = 0.0

    def __repr__(self) -> str:
        return f"Kept({self.origin})"


class NotKept(ConnectorError):
    """Tokens cannot be kept, or what was kept cannot be read."""

    page = "not-writable"


_folder: Path | None = None
_memory: dict[str, Kept] = {}
_turns: dict[str, threading.Lock] = {}
_guard = threading.Lock()


def keep_in(folder: Path | None) -> None:
    """From now on tokens are in files of this folder; None: in this process's memory."""
    global _folder  # noqa: PLW0603  the process's one place for what it shares
    _folder = None if folder is None else folder.absolute()


class Account:
    """The place of one account's tokens. name: a file name, like outreach.main."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder = _folder
        with _guard:
            self._turn = _turns.setdefault(f"{_folder}/{name}", threading.Lock())

    @contextmanager
    def alone(self) -> Generator[None]:
        """While this is held nobody else asks for tokens of this account, in no process. Raises NotKept."""
        with self._turn:
            if self._folder is None:
                yield
                return
            try:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                handle = os.open(self._folder / f"{self._name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise self._fault(error) from None
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)  # given up with the process, however it ends
                yield
            finally:
                os.close(handle)

    def read(self) -> Kept | None:
        """What is kept; None when nothing is. Raises NotKept."""
        if self._folder is None:
            return _memory.get(self._name)
        try:
            return msgspec.json.decode(self._path(self._folder).read_bytes(), type=Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise self._fault(error) from None

    def write(self, kept: Kept) -> None:
        """Keep these instead; to be called while `alone` is held. Raises NotKept."""
        if self._folder is None:
            _memory[self._name] = kept
            return
        try:
            for left in self._folder.glob(f"{self._name}.json.*.part"):  # by a process that was killed
                left.unlink()
            with appearing(self._path(self._folder)) as file:
                file.write(msgspec.json.encode(kept))
        except OSError as error:
            raise self._fault(error) from None

    def _path(self, folder: Path) -> Path:
        return folder / f"{self._name}.json"

    def _fault(self, error: Exception) -> NotKept:
        what = error.strerror if isinstance(error, OSError) else "it is damaged"  # its text may quote a token
        return NotKept(
            f"{self._folder}/{self._name}.json, where the newest refresh token is kept, cannot be used: {what}. Free space or correct "
            "the folder's permissions; if the file is damaged, delete it and authorise the app again."
        )
