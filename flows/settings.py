"""Typed settings: `salespulse.toml`, overruled by `SALESPULSE__SECTION__KEY` in the environment.

Every key is described in salespulse.example.toml. Paths are relative to the settings file. A secret may stand in a file of
its own: `token_file = "…"` instead of `token = "…"`, for every secret of every source. A source is on when it has a section.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, create_model, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

import connectors
from connectors import landing_folder
from connectors.landing_folder import is_url
from connectors.stream import account_of
from flows import places
from flows.settings_tools import Tool, faults_of
from flows.settings_values import Address, Cron, Domain, ExistingFile, Mode, Number, Zone, threshold
from transforms.parameters import Parameters
from transforms.source_settings import told

FILE = "salespulse.toml"
ENV_FILE = "SALESPULSE_SETTINGS"  # names the settings file where no --settings can be given, as under a Prefect worker
ENV_PREFIX = "SALESPULSE__"
SLACK = timedelta(hours=6)  # how much later than scheduled a run may end before its numbers are late


def longest_pause(cron: str) -> timedelta:
    """The longest time between two runs of a schedule, of its next hundred and of those of six weeks."""
    from cronsim import CronSim

    first = datetime(2026, 1, 1)  # noqa: DTZ001  only distances matter
    coming = enumerate(CronSim(cron, first))
    runs = [at for _, at in takewhile(lambda run: run[0] < 100 or run[1] < first + timedelta(weeks=6), coming)]
    return max((b - a for a, b in pairwise(runs)), default=timedelta(days=1))


def _business_hours(section: Any) -> Any:
    if not section.business_hours_start < section.business_hours_end <= 24:
        raise ValueError(
            "business_hours_start must lie before business_hours_end; allowed: whole hours from 0 to 24, like 9 and 17"
        )
    return section


Event = Literal["failure", "stale", "recovered"]


class Section(BaseModel):
    """A section of the settings file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CallOutcome(Section):
    """What a disposition label of the CRM means."""

    outcome: Literal["connected", "voicemail_left", "wrong_number", "no_answer", "busy", "failed_after_ring"]
    connected: bool
    negative: bool = False


class Company(Section):
    """What the numbers are reported in, and what is the company's own."""

    reporting_timezone: Zone = "UTC"
    reporting_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    internal_domains: list[Domain] = []
    internal_numbers: list[Number] = []
    test_domains: list[Domain] = []
    excluded_pipelines: list[str] | None = None  # ids or names; None: every pipeline that calls itself renewal
    qualified_stages: list[str] = []  # ids or names; none: every stage that calls itself qualified
    call_outcomes: dict[str, CallOutcome] = {}


class InputFiles(Section):
    """CSV files that the user keeps; each optional."""

    reps: ExistingFile | None = None
    teams: ExistingFile | None = None
    seats: ExistingFile | None = None
    availability: ExistingFile | None = None
    targets: ExistingFile | None = None
    fx: ExistingFile | None = None

    @property
    def files(self) -> Mapping[str, Path]:
        """The files that are given, by name."""
        return {name: path for name in type(self).model_fields if (path := getattr(self, name)) is not None}


class Schedule(Section):
    """When the nightly deployment runs."""

    cron: Cron = "0 4 * * *"
    timezone: Zone | None = None  # None: the reporting time zone


class RunSection(Section):
    """Where the windows of a run are read: by threads of its own, or on a Dask cluster (docs/decisions/0009-past-one-machine.md)."""

    task_runner: Literal["threads", "dask"] = "threads"
    dask_address: Annotated[str, Field(pattern=r"^(tcp|tls)://[^/\s]+:\d+$")] | None = None

    @model_validator(mode="after")
    def _cluster(self) -> Self:
        if (self.task_runner == "dask") != (self.dask_address is not None):
            raise ValueError(
                'task_runner = "dask" and dask_address = "tcp://scheduler:8786" belong together; give both or neither'
            )
        if self.task_runner == "dask":
            places.installed("prefect_dask", "dask")
        return self


class StatusSection(Section):
    """When numbers are late. None: the longest pause of the schedule and six hours."""

    stale_after_hours: Annotated[float, Field(gt=0)] | None = None


class LogSection(Section):
    """What is logged to standard error, and how long log files are kept."""

    format: Literal["json", "text", "none"] = "none"
    keep_days: Annotated[int, Field(ge=0)] = 30
    keep_mb: Annotated[int, Field(ge=1)] = 100


class NotifySection(Section):
    """Who is told of what. No channel: nobody."""

    on: list[Event] = ["failure", "stale", "recovered"]
    name: str = ""
    remind_hours: Annotated[float, Field(gt=0)] = 24
    webhook: SecretStr | None = None
    email_to: list[Address] = []
    email_from: Address | None = None
    smtp_host: str | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None

    @property
    def channels(self) -> list[str]:
        """How people are told; empty: nobody is."""
        given = {"webhook": self.webhook, "mail": self.email_to}
        return [name for name, where in given.items() if where and self.on]

    @property
    def is_on(self) -> bool:
        return bool(self.channels)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.webhook:
            url = urlsplit(self.webhook.get_secret_value())
            if url.scheme not in ("http", "https") or not url.hostname:
                raise ValueError("webhook is no address of the web; allowed: https://… as the receiver shows it")
        missing = [key for key in ("smtp_host", "email_from") if not getattr(self, key)]
        if self.email_to and missing:
            raise ValueError(f"email_to is given, so {' and '.join(missing)} must be given too")
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise ValueError("give smtp_user and smtp_password both, or neither")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError('a password is not sent in clear: set smtp_security to "starttls" or "tls"')
        return self


class Backfill(Section):
    """How often a long backfill publishes what is whole by then."""

    publish_minutes: Annotated[float, Field(ge=0)] = 30.0  # 0: only at the end
    publish_windows: Annotated[int, Field(ge=1)] | None = None


class Settings(BaseSettings):
    """Everything that a run needs to know. Read it with settings_file.load_settings."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix=ENV_PREFIX, env_nested_delimiter="__")

    data_dir: Path = Path("data")
    landing: Annotated[Path | str, AfterValidator(places.landing)] | None = None  # None: below data_dir
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?([KMGT]i?B|%)$")] = "2GB"
    threads: Annotated[int, Field(ge=1)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    mailboxes_at_once: Annotated[int, Field(ge=1, le=1000)] = 200
    warehouse: Annotated[Path | str, AfterValidator(places.warehouse)] | None = None  # None: in data_dir
    published: Annotated[Path | str, AfterValidator(places.published)] | None = None
    published_mode: Mode = "0600"
    keep_published: Annotated[int, Field(ge=0)] = 7
    remember_forgotten: bool = True
    keep_landing_days: Annotated[int, Field(ge=0)] | None = None
    keep_raw_days: Annotated[int, Field(ge=0)] | None = None
    company: Company = Company()
    inputs: InputFiles = InputFiles()
    tools: list[Tool] = []
    parameters: Section = Section()  # the thresholds of METRICS.md; see settings_model
    schedule: Schedule = Schedule()
    run: RunSection = RunSection()
    status: StatusSection = StatusSection()
    notify: NotifySection = NotifySection()
    log: LogSection = LogSection()
    backfill: Backfill = Backfill()
    workspaces: dict[str, Any] = {}  # further accounts: a name, and sections of sources

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: settings_file lays the environment over the file, so as to say where a value is from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if not self.sources:
            names = ", ".join(f"[{name}]" for name in connectors.NAMES)
            raise ValueError(f"no source is set up: give at least one section of {names}")
        telling = [a.partition("/")[0] for a, s in self._accounts() if "tools" in getattr(s, "systems", ("tools",))]
        if faults := faults_of(self.tools, telling):
            raise ValueError(f"tools: {'; '.join(faults)}")
        if faults := list(self._clashes()):
            raise ValueError(f"workspaces: {'; '.join(faults)}")
        return self

    def _clashes(self) -> Iterator[str]:
        """Accounts of the same name, and fields that are called otherwise in two accounts of a vendor: models know one name of each."""
        named = [account for account, _ in self._accounts()]
        yield from (f"there are two of {account}" for account in sorted({a for a in named if named.count(a) > 1}))
        first: dict[str, str] = {}
        for account, section in self._accounts():
            for key, value in told({account: section.model_dump()}).items():
                if first.setdefault(key, value) != value:
                    yield f"{account} calls {key.rpartition('.')[2]} {value!r}, another account of that vendor {first[key]!r}"

    def _accounts(self) -> Iterator[tuple[str, BaseModel]]:
        for name in connectors.NAMES:
            if (section := getattr(self, name, None)) is not None:
                yield account_of(name, getattr(section, "workspace", "main")), section
            for workspace, sections in self.workspaces.items():
                if (section := getattr(sections, name, None)) is not None:
                    yield account_of(name, workspace), section

    @property
    def sources(self) -> Mapping[str, BaseModel]:
        """The settings of the sources that are on, by account ("hubspot", "hubspot/us"), in the registry's order."""
        return dict(self._accounts())

    @property
    def thresholds(self) -> Parameters:
        """The parameters of METRICS.md, with the two that stand in [company]."""
        company = self.company
        return Parameters(company.reporting_timezone, company.reporting_currency, **self.parameters.model_dump())

    @property
    def warehouse_file(self) -> Path:
        return Path(self.warehouse or self.data_dir / "warehouse.duckdb")

    @property
    def landing_dir(self) -> Path:
        """Where landing files go; one in an object store is a path as well (connectors.landing_folder)."""
        return landing_folder.folder_at(self.landing or self.data_dir / "landing")

    @property
    def forgotten_file(self) -> Path:
        return self.data_dir / "forgotten.json"

    @property
    def published_file(self) -> Path:
        """The file that is published, also beside a database."""
        if self.published is None or self.published_database:
            return self.data_dir / "sales_metrics.duckdb"
        return Path(self.published)

    @property
    def published_database(self) -> str | None:
        """The MotherDuck database that is published into, "md:…"."""
        return str(self.published) if self.published and is_url(str(self.published)) else None

    @property
    def log_dir(self) -> Path:
        return self.data_dir / "logs"

    @property
    def schedule_timezone(self) -> str:
        return self.schedule.timezone or self.company.reporting_timezone

    @property
    def stale_after(self) -> timedelta:
        """How old numbers may be."""
        if self.status.stale_after_hours is not None:
            return timedelta(hours=self.status.stale_after_hours)
        return longest_pause(self.schedule.cron) + SLACK

    def yesterday(self, now: datetime) -> date:
        """The last whole day in the reporting time zone."""
        return now.astimezone(ZoneInfo(self.company.reporting_timezone)).date() - timedelta(days=1)


@cache
def settings_model() -> type[Settings]:
    """Settings with a section for every source of the registry, each optional, and a key for every threshold."""
    sources: dict[str, Any] = {name: (connectors.settings_of(name) | None, None) for name in connectors.NAMES}
    kinds = get_type_hints(Parameters)
    thresholds: dict[str, Any] = {
        f.name: (threshold(f.name, kinds[f.name]), f.default)
        for f in fields(Parameters)
        if f.name not in Company.model_fields
    }
    hours: Any = model_validator(mode="after")(_business_hours)
    parameters = create_model("Parameters", __base__=Section, __validators__={"hours": hours}, **thresholds)
    workspace = create_model("Workspace", __base__=Section, **sources)
    name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    further: Any = (dict[name, workspace], {})
    return create_model(
        "Settings", __base__=Settings, parameters=(parameters, parameters()), workspaces=further, **sources
    )
