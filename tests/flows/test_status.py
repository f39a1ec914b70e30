"""`salespulse status` and what a run tells: in words, as JSON, while another run is at work, after one was killed; notices by runs."""

import json
import shutil
import signal
from collections.abc import Iterator

import duckdb
import pytest

from flows.exit_codes import Exit
from tests.flows.product import AT_NOON, Product
from tests.operate.receivers import Webhook, webhook

LATER = "2026-03-21T19:00:00Z"  # 31 hours after the night's clock
Told = pytest.CaptureFixture[str]


@pytest.fixture
def slack(copied: Product) -> Iterator[Webhook]:
    """A webhook that the copied installation tells of everything."""
    with webhook() as kept:
        settings = copied.settings.read_text()
        copied.settings.write_text(f'{settings}\n[notify]\nname = "acme"\nwebhook = "{kept.url}"\n')
        yield kept


def document(product: Product, capsys: Told, now: str = AT_NOON) -> dict[str, object]:
    capsys.readouterr()
    product("status", "--json", "--now", now)
    return json.loads(capsys.readouterr().out)


def test_a_good_night_in_one_screen(night: Product, capsys: Told) -> None:
    capsys.readouterr()
    assert night("status", "--now", AT_NOON) == Exit.OK
    told = capsys.readouterr().out
    for words in ("FRESH", "complete until Thu 2026-03-19", "nightly for 2026-03-19: ok", "hubspot    21 of 21 fresh"):
        assert words in told
    assert len(told.splitlines()) < 30
    assert max(map(len, told.splitlines())) <= 80
    assert night("status", "--streams", "--now", AT_NOON) == Exit.OK
    assert "dialer_call" in capsys.readouterr().out


def test_the_same_for_machines(night: Product, capsys: Told) -> None:
    told = document(night, capsys, LATER)
    assert (told["verdict"], told["exit_code"], told["stale_after_hours"]) == ("late", Exit.STALE, 30)
    assert told["published"]["age_seconds"] == 31 * 3600
    assert told["published"]["complete_until"] == "2026-03-19"
    assert told["last_run"]["status"] == "ok"
    streams = {(s["source"], s["stream"]): s for s in told["streams"]}
    assert streams["cloudtalk", "dialer_call"]["until"] == "2026-03-20T12:00:00+00:00"
    assert {s["state"] for s in streams.values()} == {"late"}
    assert next(p["page"] for p in told["problems"]) == "stale"
    assert "@" not in json.dumps(told), "no address"


def test_while_a_run_has_the_warehouse_everything_is_still_told(copied: Product, capsys: Told) -> None:
    with copied.held() as holder:
        told = document(copied, capsys)
        assert str(told["warehouse_holder"]).startswith(f"{holder.pid} (")
        assert told["verdict"] == "fresh"
        assert len(told["streams"]) == 27
    assert document(copied, capsys)["warehouse_holder"] is None


def test_status_keeps_nobody_from_the_warehouse(copied: Product) -> None:
    """It asks the kernel who has it and opens nothing: a lock of this very process survives its looking."""
    from transforms.lock import holder

    file = copied.data / "warehouse.duckdb"
    with copied.held() as process:
        assert str(holder(file)).startswith(f"{process.pid} (")
        assert str(holder(file)).startswith(f"{process.pid} (")
    assert holder(file) is None


def test_a_killed_run_is_told_until_the_next_one(product: Product, capsys: Told) -> None:
    with product.start("nightly", "--now", AT_NOON) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("hubspot"))
        process.send_signal(signal.SIGKILL)
    told = document(product, capsys)
    assert [p["page"] for p in told["problems"]] == ["cut-off", "stale"]
    assert told["exit_code"] == Exit.UNHEALTHY


def test_without_journal_or_published_file_nothing_breaks(copied: Product, capsys: Told) -> None:
    (copied.data / "status.sqlite").unlink()
    assert document(copied, capsys)["verdict"] == "fresh", "the published file is told all the same"
    shutil.rmtree(copied.data)
    assert document(copied, capsys)["verdict"] == "late"


def test_runs_and_status_tell_the_webhook_once(copied: Product, slack: Webhook, capsys: Told) -> None:
    """Late, told by `status`; then a source refuses, told by the run: each once, whoever looks."""
    assert copied("status", "--notify", "--now", LATER) == Exit.STALE
    assert copied("status", "--notify", "--now", LATER) == Exit.STALE
    copied.misbehave({"fault": "forbidden", "match": {"system": "dialer"}})
    capsys.readouterr()
    code, out = copied.nightly(), " ".join(capsys.readouterr().out.split())
    assert (code, "a notice was sent by webhook (problem)" in out) == (Exit.PARTIAL, True)
    assert "FAILED cloudtalk: 7 windows of all 4 streams could not be read" in out
    copied.misbehave()
    assert copied("status", "--notify", "--now", AT_NOON) == Exit.UNHEALTHY
    assert [text.splitlines()[0] for text in slack.texts] == [
        "*salespulse acme: 1 late*",
        "*salespulse acme: 1 failed*",
    ]
    told = "\n".join(slack.texts)
    assert "cloudtalk: 7 windows of" in told
    assert "@" not in told.replace("@@", ""), "no address"


def test_a_notice_that_cannot_be_sent_does_not_fail_the_run(copied: Product, slack: Webhook, capsys: Told) -> None:
    slack.answers = [404]
    copied("status", "--notify", "--now", LATER)
    assert "no notice could be sent by webhook: 127.0.0.1 answered 404" in " ".join(capsys.readouterr().err.split())
    (problem,) = [p for p in document(copied, capsys)["problems"] if p["page"] == "notice-failed"]
    assert problem["severity"] == "note"
    copied.settings.write_text(copied.settings.read_text().partition("[notify]")[0])
    told = document(copied, capsys)["problems"]
    assert "notice-failed" not in [p["page"] for p in told], "a channel that is no longer set up"


def test_wrong_settings_are_told_as_far_as_notify_can_be_read(copied: Product, slack: Webhook) -> None:
    good = copied.settings.read_text()
    copied.settings.write_text(good.replace("token =", "tokn ="))
    assert copied.nightly() == copied.nightly() == Exit.SETTINGS
    assert len(slack.posts) == 1
    assert "the settings are wrong (1 problem)" in slack.texts[0]
    copied.settings.write_text(good)
    copied("status", "--notify", "--now", AT_NOON)
    assert slack.texts[-1].startswith("*salespulse acme: recovered*")


def test_a_run_that_a_check_blocks_logs_its_events_to_a_file_and_on_demand_to_standard_error(copied: Product) -> None:
    with duckdb.connect(str(copied.data / "warehouse.duckdb")) as con:
        con.execute("update marts.daily_org_activity set calls_made = calls_made + 1")
    code, out, err = copied.ends("--log-format", "json", "publish", "--now", AT_NOON)
    assert code == Exit.BLOCKED
    told = [json.loads(line) for line in err.splitlines()]
    steps = [t.get("step") for t in told[1:-1]]
    assert [told[0]["event"], *steps, told[-1]["event"]] == [
        "run started",
        "build",
        "build",
        "check",
        "check",
        "run ended",
    ]
    assert (told[-1]["level"], told[-1]["status"], told[-1]["page"]) == ("error", "blocked", "check-failed")
    (run_id,) = {t["run_id"] for t in told}
    assert (copied.data / "logs" / f"{run_id}.jsonl").read_text() == err
    assert "building the tables" not in out, "it would say the same twice"
    assert "a check does not hold (teams_add_up_to_org:" in " ".join(out.split())
    secret = "sandbox-secret"
    assert secret in copied.settings.read_text()
    for file in (copied.data / "logs").iterdir():
        assert secret not in file.read_text()
        assert "@" not in file.read_text()
