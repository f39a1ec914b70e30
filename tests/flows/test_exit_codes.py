"""Every exit code, by a real process that gets into that trouble; and that it names its page of docs/operate."""

import signal
from collections.abc import Callable

import pytest

from flows.exit_codes import Exit
from flows.pages import REMEDY
from tests.flows.product import AT_NOON, Product

Ended = tuple[int, str, str]


def fresh(product: Product) -> Ended:
    return product.ends("status", "--now", AT_NOON)


def land_what_is_no_landing_file(product: Product) -> Ended:
    (product.data / "landing" / "torn.jsonl").write_text("{")
    return product.ends("land", str(product.data / "landing" / "torn.jsonl"))


def wrong_key(product: Product) -> Ended:
    product.settings.write_text(product.settings.read_text().replace("token =", "tokn ="))
    return product.ends("nightly")


def days_the_wrong_way_round(product: Product) -> Ended:
    return product.ends("backfill", "--from", "2026-03-02", "--to", "2026-03-01", "--now", AT_NOON)


def held(product: Product) -> Ended:
    with product.held():
        return product.ends("land", str(product.landed("cloudtalk", "dialer_user")))


def damaged(product: Product) -> Ended:
    with (product.data / "warehouse.duckdb").open("rb+") as file:
        file.truncate(1 << 20)
    return product.ends("land", str(product.landed("cloudtalk", "dialer_user")))


def late(product: Product) -> Ended:
    return product.ends("status", "--now", "2026-03-21T19:00:00Z")  # 31 hours later


def gone(product: Product) -> Ended:
    product.published.unlink()
    return product.ends("status", "--now", AT_NOON)


def no_prefect(product: Product) -> Ended:
    return product.ends("publish", environment={"PREFECT_API_URL": "http://127.0.0.1:9/api"})


CASES = [
    (fresh, Exit.OK, ""),
    (land_what_is_no_landing_file, Exit.FAILED, "landing-refused"),
    (wrong_key, Exit.SETTINGS, "settings-wrong"),
    (days_the_wrong_way_round, Exit.SETTINGS, "arguments"),
    (held, Exit.LOCKED, "warehouse-held"),
    (damaged, Exit.STORAGE, "damaged-warehouse"),
    (late, Exit.STALE, "stale"),
    (gone, Exit.UNHEALTHY, "published-file"),
    (no_prefect, Exit.PREFECT, "prefect-unreachable"),
]


@pytest.mark.parametrize(("trouble", "code", "page"), [pytest.param(*case, id=case[0].__name__) for case in CASES])
def test_the_process_ends_with_the_code_and_names_the_page(
    copied: Product, trouble: Callable[[Product], Ended], code: Exit, page: str
) -> None:
    ended, out, err = trouble(copied)
    assert ended == code, err
    told = " ".join((out + err).split())
    assert "Traceback" not in told
    assert "nanobind" not in told, "what DuckDB says of references that were left hides the message"
    if page:
        assert f"docs/operate/{page}.md" in told.replace("operate/ ", "operate/")
        assert REMEDY[page].split("`")[0][:30] in told


def test_a_run_that_is_stopped_by_hand_ends_with_130_and_is_noted(copied: Product) -> None:
    with copied.held(), copied.start("publish", "--wait", "120") as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("waiting up to"))
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == Exit.STOPPED
    code, out, _ = copied.ends("status", "--now", AT_NOON)
    assert (code, "was stopped by hand" in out) == (Exit.OK, True), out


def test_every_exit_code_is_tried_here() -> None:
    by_runs = {Exit.PARTIAL, Exit.BLOCKED}  # tests/flows/test_status.py
    assert {code for _, code, _ in CASES} | {Exit.STOPPED} | by_runs == set(Exit)
