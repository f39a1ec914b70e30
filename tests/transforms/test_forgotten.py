"""What of a record is left when somebody in it was forgotten, and what is none of theirs."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from transforms import raw
from transforms.forget_person import find
from transforms.forgotten import Forgotten

ADDRESS = "jane.doe@cust.example"


@pytest.fixture
def forgotten() -> Forgotten:
    made = Forgotten(b"s" * 32)
    made.add_address(ADDRESS, ["acme.example"])
    made.add_number("+44 20 7946 0958")
    made.add_name("Jane", "Doe")
    made.add_record("crm", "main", "4711")
    return made


def cleaned(forgotten: Forgotten, record: Any, *personal: str) -> Any:
    line = record if isinstance(record, bytes) else json.dumps(record).encode()
    return json.loads(forgotten.clean_line(line, source="crm", workspace="main", key=("id",), personal=personal))


@pytest.mark.parametrize(
    "text",
    [ADDRESS, ADDRESS.upper(), f"<{ADDRESS}>", f'"Doe, Jane" <{ADDRESS}>', f"Jane <{ADDRESS}>, bob@acme.example"],
)
def test_an_address_gives_way_to_one_token_with_its_display_name(forgotten: Forgotten, text: str) -> None:
    told = cleaned(forgotten, {"to": text})["to"]
    assert "jane" not in told.lower()
    assert "doe" not in told.lower()
    assert told.count("@forgotten.invalid") == 1
    assert forgotten.clean_text(ADDRESS) in told


def test_escapes_and_json_within_json_hide_nothing(forgotten: Forgotten) -> None:
    line = b'{"a":"\\u006aane.doe\\u0040cust.example","h":"{\\"from\\":{\\"email\\":\\"jane.doe@cust.example\\",\\"firstName\\":\\"Jane\\"}}"}'
    told = json.dumps(cleaned(forgotten, line))
    assert "jane" not in told.lower()
    assert told.count("@forgotten.invalid") == 2


@pytest.mark.parametrize("told", [ADDRESS, "020 7946 0958", "Jane Doe"])
@pytest.mark.parametrize("before", ["Notes:\n", "Notes:\r\n", "\t", "Spoke to "])
@pytest.mark.parametrize("more", ["", "much " * 500])
def test_lines_of_a_note_hide_nothing_in_short_records_and_long(
    forgotten: Forgotten, told: str, before: str, more: str
) -> None:
    record = {"note": before + told, "nested": json.dumps({"note": before + told}), "more": more}
    assert told not in json.dumps(cleaned(forgotten, record))
    if not more:  # as quarantine keeps it
        assert told not in forgotten.clean_text(json.dumps(record))


@pytest.mark.parametrize(
    "spelled", ["+44 20 7946 0958", "442079460958", "0044 20 7946-0958", "020 7946 0958", "+44 (20) 7946 0958"]
)
def test_a_number_is_found_as_people_write_it_and_its_tokens_match_as_it_did(
    forgotten: Forgotten, spelled: str
) -> None:
    told = forgotten.clean_text(spelled)
    figures = "".join(c for c in told if c.isdigit())
    assert "79460958" not in figures
    assert figures[-9:] == forgotten.clean_text("442079460958")[-9:], (
        "the last nine digits are how two forms are compared"
    )
    assert len(told) == len(spelled)


def test_numbers_that_are_numbers_in_json_stay_numbers(forgotten: Forgotten) -> None:
    told = cleaned(forgotten, {"external": 442079460958, "other": 442079460959})
    assert isinstance(told["external"], int)
    assert told["external"] != 442079460958
    assert told["other"] == 442079460959


def test_a_name_goes_from_free_text_and_from_beside_the_address(forgotten: Forgotten) -> None:
    told = cleaned(forgotten, {"deal": "Jane Doe - renewal", "agent": {"email": ADDRESS, "fullname": "J. D."}})
    assert told["deal"] == "Forgotten - renewal"
    assert told["agent"]["fullname"] is None


@pytest.mark.parametrize(
    ("first", "last"), [("Mary Jane", "Roe"), ("Jan", "van der Berg"), ("Ana María", "de la O'Hara-Cruz")]
)
def test_a_name_of_several_words_goes_whole(forgotten: Forgotten, first: str, last: str) -> None:
    forgotten.add_name(first, last)
    for spelled in (f"{first} {last}", f"{last}, {first}", f"{first} {last}".upper()):
        assert forgotten.clean_text(f"Told {spelled} Jane Doe so") == "Told Forgotten Forgotten so"
    others = f"{first} Smith, {last} alone"
    assert forgotten.clean_text(others) == others


def test_a_record_about_the_person_loses_what_is_personal_whatever_its_address_is_by_now(forgotten: Forgotten) -> None:
    record = {"id": "4711", "email": "jane@new.example", "job": "CTO", "created": "2026-01-02"}
    assert cleaned(forgotten, record, "job") == {"id": "4711", "email": "", "job": None, "created": "2026-01-02"}
    other = {**record, "id": "4712"}
    assert cleaned(forgotten, other, "job") == other


def test_others_keep_their_records_byte_for_byte(forgotten: Forgotten) -> None:
    line = b'{ "id" : 442079460958, "to":"jane.doe@cust.example.org", "at":"2026-03-19 09:29:56","n":1.50, "note":"Jane D\\u00f6e" }'
    assert forgotten.clean_line(line, source="crm", workspace="main", key=("id",), personal=("x",)) == line


def test_the_list_says_nothing_of_whom_it_holds_and_gives_the_same_tokens_when_read_again(
    forgotten: Forgotten, tmp_path: Path
) -> None:
    file = tmp_path / "forgotten.json"
    forgotten.save(file)
    assert file.stat().st_mode & 0o777 == 0o600
    told = file.read_text().lower()
    assert not any(word in told for word in ("jane", "doe", "cust", "79460958", "4711"))
    assert Forgotten.load(file).clean_text(ADDRESS) == forgotten.clean_text(ADDRESS)
    file.write_text("{}")
    with pytest.raises(ValueError, match="Restore it from a backup"):
        Forgotten.load(file)


def test_a_colleagues_token_stays_a_colleagues(forgotten: Forgotten) -> None:
    assert forgotten.add_address("rep@eu.acme.example", ["acme.example"]).endswith("@eu.acme.example")


def test_the_addresses_that_a_sequencer_tells_of_one_prospect_are_one_persons() -> None:
    """In whichever order and spelling; those of other mails' prospects are not."""
    mails = [["Jane@home.example", ADDRESS.upper()], [ADDRESS], ["bob@cust.example"], []]
    with duckdb.connect() as con:
        con.execute("create schema raw")
        raw.declare(con, [("outreach", "seq_send")])
        for number, emails in enumerate(mails):
            payload = json.dumps({"id": number, "prospect_emails": emails})
            con.execute("insert into raw.outreach_seq_send (record_id, payload) values (?, ?)", [str(number), payload])
        assert find(con, ADDRESS).addresses == {ADDRESS, "jane@home.example"}
