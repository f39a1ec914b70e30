"""Which properties HubSpot's objects have, of which type, and who may write them; pipelines; call outcomes.

Source: HubSpot's object guides and properties API (2026-09): property names and types; the six default call outcomes
with their GUIDs (calls guide). `sales_territory`, `market_segment` and `sourced_by_owner_id` are the account's own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.hubspot_wire import refused
from sandbox.world import World
from sandbox.world_deals import Pipeline, pipelines

DISPOSITIONS = {
    "Busy": "9d9162e7-6cf3-4944-bf63-4dff82258764",
    "Connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "Left live message": "a4c4c377-d246-4b32-a13b-75a56a4cd0ff",
    "Left voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "No answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "Wrong number": "17b47fee-58de-441e-a44c-c6300d46f273",
}


@dataclass(frozen=True, slots=True)
class Property:
    """type: string, number, datetime, enumeration or bool. read_only: HubSpot writes it. calculated: from others."""

    name: str
    type: str
    read_only: bool = False
    calculated: bool = False


# name, name:type, name:type:ro (HubSpot's own), name:type:calc
_SOURCE = """hs_object_id:number:ro hs_object_source:string:ro hs_object_source_id:string:ro
 hs_object_source_label:string:ro hs_created_by_user_id:number:ro hs_updated_by_user_id:number:ro
 hubspot_owner_id:enumeration"""
_ACTIVITY = f"""{_SOURCE} hs_createdate:datetime:ro hs_lastmodifieddate:datetime:ro hs_timestamp:datetime
 hs_activity_type:enumeration hs_created_by:number:ro"""
_RECORD = f"{_SOURCE} createdate:datetime:ro hs_merged_object_ids:string:ro description"
_TEXT = {
    "contacts": f"""{_RECORD} lastmodifieddate:datetime:ro email hs_additional_emails:enumeration phone mobilephone
 hs_whatsapp_phone_number firstname lastname jobtitle company lifecyclestage:enumeration hs_lead_status:enumeration
 associatedcompanyid:number first_conversion_date:datetime:ro""",
    "companies": f"""{_RECORD} hs_lastmodifieddate:datetime:ro name domain sales_territory:enumeration
 market_segment:enumeration""",
    "deals": f"""{_RECORD} hs_lastmodifieddate:datetime:ro dealname dealstage:enumeration pipeline:enumeration
 amount:number deal_currency_code:enumeration closedate:datetime notes_next_activity_date:datetime:ro sourced_by_owner_id:enumeration
 hs_is_closed:bool:calc hs_is_closed_won:bool:calc hs_deal_stage_probability:number:calc""",
    "calls": f"""{_ACTIVITY} hs_call_title hs_call_body hs_call_direction:enumeration hs_call_disposition:enumeration
 hs_call_duration:number hs_call_status:enumeration hs_call_from_number hs_call_to_number hs_call_source:enumeration
 hs_call_app_id:number hs_call_external_id hs_call_external_account_id""",
    "emails": f"""{_ACTIVITY} hs_email_direction:enumeration hs_email_status:enumeration hs_email_subject
 hs_email_headers hs_email_message_id hs_email_thread_id hs_email_from_email:string:calc hs_email_to_email:string:calc
 hs_email_cc_email:string:calc hs_email_bcc_email:string:calc hs_email_logged_from:enumeration hs_sequence_id:number""",
    "meetings": f"""{_ACTIVITY} hs_meeting_title hs_meeting_start_time:datetime hs_meeting_end_time:datetime
 hs_meeting_outcome:enumeration hs_meeting_source:enumeration hs_attendee_owner_ids:enumeration hs_i_cal_uid""",
    "tasks": f"""{_ACTIVITY} hs_task_subject hs_task_type:enumeration hs_task_status:enumeration
 hs_task_priority:enumeration hs_task_completion_date:datetime""",
    "notes": f"{_ACTIVITY} hs_note_body",
    "users": """hs_object_id:number:ro hs_createdate:datetime:ro hs_lastmodifieddate:datetime:ro hs_email hs_given_name
 hs_family_name hs_job_title hs_standard_time_zone:enumeration hs_internal_user_id:number:ro
 hubspot_owner_id:number:ro""",
}
_DEFAULTS = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        *("amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id"),
        "pipeline",
    ),
}
_NUMBERED = ("1=contacts", "2=companies", "3=deals", "48=calls", "49=emails", "47=meetings", "27=tasks", "46=notes")
_TYPE_IDS = {f"0-{n}": kind for n, _, kind in (pair.partition("=") for pair in _NUMBERED)} | {"company": "companies"}
# The names by which a world speaks of properties, where they are not HubSpot's.
ALIASES: dict[str, dict[str, str]] = {
    "contacts": {
        "owner": "hubspot_owner_id",
        "account": "associatedcompanyid",
        "name": "firstname",
        "emails": "email",
        "phones": "phone",
    },
    "companies": {"owner": "hubspot_owner_id", "territory": "sales_territory", "segment": "market_segment"},
    "deals": {
        "owner": "hubspot_owner_id",
        "stage": "dealstage",
        "currency": "deal_currency_code",
        "name": "dealname",
        "close_date": "closedate",
        "sourced_by": "sourced_by_owner_id",
    },
}


def _parse(text: str) -> dict[str, Property]:
    found: dict[str, Property] = {}
    for word in text.split():
        name, kind, how = ([*word.split(":"), "string", ""] if ":" not in word else [*word.split(":"), ""])[:3]
        found[name] = Property(name, kind, read_only=how in ("ro", "calc"), calculated=how == "calc")
    return found


SCHEMA: dict[str, dict[str, Property]] = {kind: _parse(text) for kind, text in _TEXT.items()}


def object_type(name: str) -> str:
    """The plural name of an object type by any of its names. Raises Refused, 400."""
    found = _TYPE_IDS.get(name, name if name in SCHEMA else f"{name}s")
    if found not in SCHEMA:
        raise refused(400, f"Unable to infer object type from: {name}")
    return found


def modified_property(kind: str) -> str:
    return "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"


def created_property(kind: str) -> str:
    return "createdate" if kind in _DEFAULTS else "hs_createdate"


def returned(kind: str, asked: list[str]) -> list[str]:
    """The properties of an answer: what was asked for, always with id and both dates; the defaults if nothing was."""
    always = ["hs_object_id", created_property(kind), modified_property(kind)]
    return sorted({*(asked or _DEFAULTS.get(kind, ())), *always})


def properties(world: World, kind: str) -> dict[str, Property]:
    """All properties of an object type: HubSpot's, and those that this company's people write into."""
    own = {w.property for w in world.crm_writes if w.object != "note" and object_type(w.object) == kind}
    names = {ALIASES.get(kind, {}).get(name, name) for name in own} - set(SCHEMA[kind])
    return SCHEMA[kind] | {name: Property(name, "string") for name in sorted(names)}


def property_definition(found: Property) -> dict[str, Any]:
    """A property as /crm/properties tells it."""
    ours = found.name not in ("sales_territory", "market_segment", "sourced_by_owner_id")
    return {
        "name": found.name,
        "label": found.name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": found.type,
        "fieldType": {"enumeration": "select", "datetime": "date", "number": "number", "bool": "booleancheckbox"}.get(
            found.type, "text"
        ),
        "description": "",
        "groupName": "sandbox",
        "options": [],
        "displayOrder": -1,
        "calculated": found.calculated,
        "externalOptions": found.name == "hubspot_owner_id",
        "hasUniqueValue": found.name == "hs_object_id",
        "hidden": False,
        "hubspotDefined": ours,
        "formField": False,
        "dataSensitivity": "non_sensitive",
        "archived": False,
        "modificationMetadata": {
            "archivable": not ours,
            "readOnlyDefinition": ours,
            "readOnlyValue": found.read_only,
        },
    }


def dispositions(world: World) -> dict[str, str]:
    """GUIDs of call outcomes by label: the defaults, and the labels that this company's calls use besides."""
    known = {label.lower() for label in DISPOSITIONS}
    own = {label for label in _labels(world) if label.lower() not in known}
    return DISPOSITIONS | {label: str(uuid.uuid5(uuid.NAMESPACE_OID, f"disposition {label}")) for label in sorted(own)}


def _labels(world: World) -> Iterator[str]:
    for call in world.calls:
        if call.crm is None:
            continue
        given = [call.crm.disposition, *(edit.set.get("disposition") for edit in call.crm.edits)]
        yield from (label for label in given if label)


def pipeline_document(pipeline: Pipeline) -> dict[str, Any]:
    """A deal pipeline with its stages, as recorded: flags and probabilities are text, defaults date from 1970."""
    dates = {"createdAt": "1970-01-01T00:00:00Z", "updatedAt": "1970-01-01T00:00:00Z", "archived": False}
    return {
        "label": "Sales Pipeline" if pipeline.id == "default" else pipeline.id.capitalize(),
        "displayOrder": pipeline.position,
        "id": pipeline.id,
        "stages": [
            {
                "label": {"won": "Closed Won", "lost": "Closed Lost"}.get(stage.name, stage.name.capitalize()),
                "displayOrder": stage.position,
                "metadata": {
                    "isClosed": str(stage.is_closed).lower(),
                    "probability": str(probability(pipeline, stage.id)),
                },
                "id": stage.id,
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                **dates,
            }
            for stage in pipeline.stages
        ],
        **dates,
    }


def probability(pipeline: Pipeline, stage_id: str) -> float:
    """A stage's win probability: 1 if won, 0 if lost, else rising with its position, in tenths."""
    stage = next(s for s in pipeline.stages if s.id == stage_id)
    if stage.is_closed:
        return 1.0 if stage.is_won else 0.0
    return round((stage.position + 1) / (len(pipeline.stages)), 1)


def pipelines_of(world: World) -> dict[str, Pipeline]:
    return {found.id: found for found in pipelines(world)}
