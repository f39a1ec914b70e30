"""Private keys in files that the settings name: read whole, and never quoted in an error."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from pydantic import AfterValidator

from .stream import ConnectorError


def _there(file: Path) -> Path:
    if not file.is_file():
        raise ValueError(f"no such file: {file}")
    return file


KeyFile = Annotated[Path, AfterValidator(_there)]


def private_key(file: Path, setting: str) -> str:
    """The PEM of a key file. setting: which names it, for errors. Raises ConnectorError."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectorError(
            f"{setting}: {file} cannot be read: {type(error).__name__}. Put the key there again, or correct the settings."
        ) from None


def service_account_key(file: Path, setting: str) -> dict[str, str]:
    """The content of a service account's key file. setting: which names it, for errors. Raises ConnectorError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError) as error:
        raise ConnectorError(
            f"{setting}: {file} cannot be read as a JSON key: {type(error).__name__}. "
            "Download a new key of the service account (IAM > Service accounts > Keys)."
        ) from None
