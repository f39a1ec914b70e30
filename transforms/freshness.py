"""marts.meta_freshness: how old the numbers of every daily, weekly and monthly table are, from sql/templates/meta_freshness.sql."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Model

# Whom nobody expects: what they did is no sign that a day is there, and what lacks of it none that it is not. Nor is what does not apply.
KNOWN = {"rep_id": "rep_id <> -1", "team_id": "team_id <> '-1'"}


def text(models: Iterable[Model]) -> str:
    """The model, like a file under sql/marts: of every mart with a date in its key, which says of each row whether it is complete."""
    dated = sorted((m for m in models if m.schema == "marts" and m.kind == "merged" and m.date), key=lambda m: m.name)
    template = (resources.files("sql") / "templates" / "meta_freshness.sql").read_text("utf-8")
    dates = "\n    union all\n    ".join(map(_dates, dated))
    return Template(template).substitute(names=", ".join(f"'{m.name}'" for m in dated), dates=dates)


def _dates(model: Model) -> str:
    known = next((f" where {condition}" for column, condition in KNOWN.items() if column in model.grain), "")
    return (
        f"select '{model.name}', {model.date}, case when source_status <> 'not_applicable' then is_complete end"
        f" from {model.table}{known}"
    )
