"""Notices over real HTTP and SMTP: once on a change, a reminder a day, when it is over; what fails is told and tried again."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import stamina
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from flows import notify
from flows.health import Health, Problem, PublishedFacts, Seen
from flows.journal import Journal
from flows.settings import NotifySection
from tests.operate.receivers import Mailbox, Webhook, mail_server, webhook

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
DOWN = Problem("failed", "source-down", "source:cloudtalk", "cloudtalk: 2 windows could not be read", "of ann@acme.com")
LATE = Problem("late", "stale", "published", "the published numbers are of yesterday")
NOTE = Problem("note", "quarantine", "quarantine:x", "3 records in quarantine")


@pytest.fixture(autouse=True)
def _without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def slack() -> Iterator[Webhook]:
    with webhook() as kept:
        yield kept


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as kept:
        yield kept


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def section(**more: object) -> NotifySection:
    return NotifySection.model_validate(more)


def by_mail(box: Mailbox, **more: object) -> NotifySection:
    to = {"email_to": ["ops@acme.com", "cto@acme.com"], "email_from": "salespulse@acme.com", "smtp_host": "127.0.0.1"}
    return section(**{**to, "smtp_port": box.port, "smtp_security": "none", **more})


def health(*problems: Problem, hours: float = 0) -> Health:
    """The installation so many hours after noon."""
    return Health(Seen(NOON + timedelta(hours=hours), [], PublishedFacts("x"), timedelta(hours=30)), problems)


def test_a_failure_is_told_once_and_again_a_day_later_and_when_it_is_over(slack: Webhook, journal: Journal) -> None:
    told = section(webhook=slack.url, name="acme")
    for hours in (0, 1, 23.9, 24, 25):
        notify.tell(told, journal, health(DOWN, hours=hours))
    notify.tell(told, journal, health(NOTE, hours=26))
    notify.tell(told, journal, health(NOTE, hours=27))
    assert [text.splitlines()[0] for text in slack.texts] == [
        "*salespulse acme: 1 failed*",
        "*salespulse acme: still 1 failed*",
        "*salespulse acme: recovered*",
    ]


def test_a_change_is_told_at_once_and_begins_the_day_anew(slack: Webhook, journal: Journal) -> None:
    told = section(webhook=slack.url)
    notify.tell(told, journal, health(DOWN))
    notify.tell(told, journal, health(DOWN, LATE, hours=20))
    notify.tell(told, journal, health(DOWN, LATE, hours=25))
    notify.tell(told, journal, health(LATE, hours=26))
    assert [text.splitlines()[0] for text in slack.texts] == [
        "*salespulse: 1 failed*",
        "*salespulse: 1 failed, 1 late*",
        "*salespulse: 1 late*",
    ]


@pytest.mark.parametrize(
    ("on", "expected"), [(["failure"], 1), (["stale"], 1), (["recovered"], 0), (["failure", "recovered"], 2), ([], 0)]
)
def test_only_what_was_asked_for_is_told(slack: Webhook, journal: Journal, on: list[str], expected: int) -> None:
    told = section(webhook=slack.url, on=on)
    if on == ["stale"]:
        notify.tell(told, journal, health(LATE))
        notify.tell(told, journal, health(LATE, DOWN, hours=1))
    else:
        notify.tell(told, journal, health(DOWN))
        notify.tell(told, journal, health(DOWN, LATE, hours=1))
    notify.tell(told, journal, health(hours=2))
    assert len(slack.posts) == expected


def test_a_notice_says_what_to_do_and_holds_nothing_of_an_errors_own_text(slack: Webhook, journal: Journal) -> None:
    notify.tell(section(webhook=slack.url), journal, health(DOWN))
    (text,) = slack.texts
    assert "failed: cloudtalk: 2 windows could not be read" in text
    assert "docs/operate/source-down.md" in text
    assert "ann@acme.com" not in text


def test_a_receiver_that_is_busy_is_tried_again(slack: Webhook, journal: Journal) -> None:
    slack.answers = [503, 429]
    assert notify.tell(section(webhook=slack.url), journal, health(DOWN)) == ["a notice was sent by webhook (problem)"]
    assert len(slack.posts) == 3


@pytest.mark.parametrize(("answers", "tries"), [([404], 1), ([500, 500, 500], 3)])
def test_a_notice_that_fails_is_told_without_the_address_and_comes_at_the_next_occasion(
    slack: Webhook, journal: Journal, answers: list[int], tries: int
) -> None:
    slack.answers = list(answers)
    told = section(webhook=slack.url)
    (said,) = notify.tell(told, journal, health(DOWN))
    assert said.startswith(f"no notice could be sent by webhook: 127.0.0.1 answered {answers[0]}")
    assert "topsecret" not in said
    assert len(slack.posts) == tries
    assert list(journal.failed_notices()) == ["webhook"]
    notify.tell(told, journal, health(DOWN, hours=1))
    assert slack.texts[-1].startswith("*salespulse: 1 failed*")
    assert journal.failed_notices() == {}


def test_that_it_is_over_is_told_later_when_it_could_not_be_told(slack: Webhook, journal: Journal) -> None:
    told = section(webhook=slack.url)
    notify.tell(told, journal, health(DOWN))
    slack.answers = [404]
    notify.tell(told, journal, health(hours=1))
    notify.tell(told, journal, health(hours=2))
    notify.tell(told, journal, health(hours=3))
    assert [text.splitlines()[0] for text in slack.texts] == [
        "*salespulse: 1 failed*",
        "*salespulse: recovered*",
        "*salespulse: recovered*",
    ]


def test_what_never_could_be_told_needs_no_all_clear(slack: Webhook, journal: Journal) -> None:
    slack.answers = [404]
    told = section(webhook=slack.url)
    notify.tell(told, journal, health(DOWN))
    notify.tell(told, journal, health(hours=1))
    assert len(slack.posts) == 1
    assert journal.failed_notices() == {}


def test_nobody_there(journal: Journal) -> None:
    (said,) = notify.tell(section(webhook="http://127.0.0.1:9/secretpath"), journal, health(DOWN))
    assert said == "no notice could be sent by webhook: 127.0.0.1: ConnectError, 3 times"


def test_a_mail_has_what_a_mail_needs(mailbox: Mailbox, journal: Journal) -> None:
    assert notify.tell(by_mail(mailbox), journal, health(DOWN)) == ["a notice was sent by mail (problem)"]
    (mail,) = mailbox.mails
    assert (mail["Subject"], mail["From"], mail["Auto-Submitted"]) == (
        "salespulse: 1 failed", "salespulse@acme.com", "auto-generated",
    )  # fmt: skip
    assert mail["Date"]
    assert mail["Message-ID"].endswith("@acme.com>")
    assert mailbox.recipients == ["ops@acme.com", "cto@acme.com"]
    assert "cloudtalk: 2 windows could not be read" in str(mail.get_payload())


def test_a_server_without_encryption_gets_no_mail_unless_it_may(mailbox: Mailbox, journal: Journal) -> None:
    (said,) = notify.tell(by_mail(mailbox, smtp_security="starttls"), journal, health(DOWN))
    assert "SMTPNotSupportedError" in said
    assert mailbox.mails == []


@pytest.mark.parametrize(("answer", "times"), [("451 busy", ", 3 times"), ("550 no", " (SMTPSenderRefused)")])
def test_a_mail_that_is_refused(mailbox: Mailbox, journal: Journal, answer: str, times: str) -> None:
    mailbox.refuse = {"MAIL": answer}
    (said,) = notify.tell(by_mail(mailbox), journal, health(DOWN))
    assert said == f"no notice could be sent by mail: 127.0.0.1:{mailbox.port} answered {answer[:3]}{times}"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]),
    )
    today = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), today, today + timedelta(days=1)
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = made.add_extension(here, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "certificate.pem"
    file.write_bytes(signed.public_bytes(Encoding.PEM) + private)
    return file


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[Mailbox]:
    """A mail server that speaks TLS from the first byte on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with mail_server(context) as kept:
        yield kept


LOGIN = {"smtp_security": "tls", "smtp_user": "sales", "smtp_password": "hunter2.more"}


def test_user_and_password_go_to_a_server_whose_certificate_is_trusted(
    encrypted: Mailbox, journal: Journal, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert notify.tell(by_mail(encrypted, **LOGIN), journal, health(DOWN)) == ["a notice was sent by mail (problem)"]
    assert encrypted.logins == ["\0sales\0hunter2.more"]
    encrypted.refuse = {"AUTH": "535 wrong: hunter2.more"}
    (said,) = notify.tell(by_mail(encrypted, **LOGIN), journal, health(DOWN, hours=24))
    assert said.endswith(f"127.0.0.1:{encrypted.port} answered 535 (SMTPAuthenticationError)")


def test_a_certificate_that_is_not_trusted_gets_no_password(encrypted: Mailbox, journal: Journal) -> None:
    (said,) = notify.tell(by_mail(encrypted, **LOGIN), journal, health(DOWN))
    assert "SSLCertVerificationError" in said
    assert (encrypted.logins, encrypted.mails) == ([], [])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"webhook": "hooks.slack.com/x"}, "no address of the web"),
        ({"email_to": ["ops@acme.com"]}, "smtp_host and email_from must be given"),
        ({"smtp_user": "sales"}, "both, or neither"),
        ({**LOGIN, "smtp_security": "none"}, "not sent in clear"),
        ({"email_to": ["ops"]}, "pattern"),
        ({"on": ["sometimes"]}, "failure"),
    ],
)
def test_settings_that_cannot_work_are_refused_without_showing_a_secret(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        section(**given)
    assert "hunter2" not in str(refused.value.errors(include_input=False))


def test_one_channel_that_fails_does_not_stop_the_other(slack: Webhook, mailbox: Mailbox, journal: Journal) -> None:
    slack.answers = [404]
    both = by_mail(mailbox, webhook=slack.url)
    assert len(notify.tell(both, journal, health(DOWN))) == 2
    assert len(notify.tell(both, journal, health(DOWN, hours=1))) == 1, "only the one that failed"
    assert (len(slack.posts), len(mailbox.mails)) == (2, 1)


def test_a_long_list_is_cut(slack: Webhook, journal: Journal) -> None:
    many = [Problem("failed", "source-down", f"source:{n}", f"source {n}") for n in range(13)]
    notify.tell(section(webhook=slack.url), journal, health(*many))
    assert "and 3 more" in slack.texts[0]
    assert "source 9" in slack.texts[0]
    assert "source 10" not in slack.texts[0]
