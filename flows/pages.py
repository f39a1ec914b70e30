"""The pages of docs/operate: one for each way in which something goes wrong, and in a sentence what to do.

An error class of the product names its page in the attribute `page`; what has none is told as UNEXPECTED.
"""

from __future__ import annotations

from collections.abc import Mapping

FOLDER = "docs/operate"
UNEXPECTED = "unexpected"

# Page -> what to do.
REMEDY: Mapping[str, str] = {
    "arguments": "Correct the command line; --help shows what there is.",
    "settings-wrong": "Correct the keys that are named, try with `salespulse check`, and run again.",
    "input-files": "Correct the lines that are named and run again.",
    "permission-missing": "Run `salespulse check`: it names the permission to grant. The next run reads what is due.",
    "source-down": "Look at the vendor's status page and at the network; the next run reads what is due.",
    "rate-limit": "Nothing, if it happens once; else find what else uses the account's limit, or lower `concurrency` or `mailboxes_at_once`.",
    "schema-drift": "The vendor's answers have changed: keep the landing files and report it; the other sources go on.",
    "quarantine": "Look at the reasons in meta.quarantine; records that the vendor corrects leave it by themselves.",
    "data-quality": "Look at meta_data_quality in the published file: each row says what to add to which file.",
    "check-failed": "Look at the rows that the report shows; the file of the last good run stands until the check holds.",
    "build-failed": "Report it with the message; the file of the last good run stands.",
    "published-file": "Run `salespulse publish`, or copy one of previous/ over it.",
    "warehouse-held": "Wait until that process has ended (--wait SECONDS does), or stop it, and run again.",
    "cut-off": "Nothing to repair: run again, it takes up what had been read.",
    "disk-full": "Make room and run again.",
    "not-writable": "Make the folder writable for the user that runs salespulse and run again.",
    "damaged-warehouse": "Run `salespulse rebuild`: it makes a new warehouse from the landing files.",
    "landing-refused": "Nothing: the file was put aside and its window is read again.",
    "stale": "See whether the scheduler runs (cron, or Prefect's worker); then run `salespulse nightly`.",
    "notice-failed": "Correct [notify] in the settings and try with `salespulse status --notify`.",
    "prefect-unreachable": "Start the Prefect server that PREFECT_API_URL names, or unset it.",
    "cluster": "Correct what is named of each worker, start the scheduler and its workers, and run again.",
    "forget": "Take the person out of the files that are named and run the command again.",
    "sandbox": "Correct the world file, fault rule or recording that is named.",
    UNEXPECTED: "Please report it, with the lines above and the run's log.",
}


def page_of(error: BaseException) -> str:
    """The page of an error."""
    page = getattr(error, "page", None)
    if isinstance(page, str) and page in REMEDY:
        return page
    if isinstance(error, KeyboardInterrupt):
        return "cut-off"
    # Connectors tell their own errors of the network: what is left is Prefect's.
    return "prefect-unreachable" if type(error).__module__.startswith("httpx") else UNEXPECTED


def told(page: str) -> str:
    """What to do, and where more of it stands."""
    return f"{REMEDY[page]} ({path(page)})"


def path(page: str) -> str:
    return f"{FOLDER}/{page}.md"
