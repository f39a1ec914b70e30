"""Section [files] of the settings; apart from the connector, whose Arrow takes half a second and 50 MB that other sources need not pay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from .files_kinds import IGNORE, KINDS
from .network import SourceSettings
from .time_zone import zone


def _encoding(name: str) -> str:
    try:
        "key".encode(name)
    except LookupError:
        raise ValueError("not an encoding; allowed: names like utf-8, utf-16, cp1252") from None
    return name


class FilesSettings(SourceSettings):
    """Section [files]: a folder, and what it feeds."""

    folder: Path = Field(
        description="Where the files lie, also in folders below; their names begin with what they hold."
    )
    systems: Annotated[list[Literal["crm", "dialer", "mail", "tools"]], Field(min_length=1)] = Field(
        description="What the folder feeds."
    )
    workspace: str = Field("main", description="A name for this folder.")
    timezone: Annotated[str, AfterValidator(zone)] = Field(
        "UTC", description="Of times without a zone, and of the days in names of files and in _complete_through."
    )
    columns: dict[str, dict[str, str]] = Field(
        {}, description='By kind of file, headers of your own and the column that each is, or "ignore".'
    )
    delimiter: str = Field(",", description="What parts the columns of CSV files.", pattern=r"^[\t -~]$")
    encoding: Annotated[str, AfterValidator(_encoding)] = Field("utf-8", description="How CSV files are written.")

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for name, told in columns.items():
            if name not in KINDS:
                raise ValueError(f"{name} is no kind of file; allowed: {', '.join(KINDS)}")
            allowed = (*KINDS[name].columns, IGNORE)
            if strange := [column for column in told.values() if column not in allowed]:
                raise ValueError(f"{name} has no column {strange[0]}; allowed: {', '.join(allowed)}")
        return columns
