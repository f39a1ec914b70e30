"""Reads the settings: finds the file, lays the environment over it, and reports everything that is wrong at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from connectors.landing_folder import is_url
from flows.settings import ENV_FILE, ENV_PREFIX, FILE, NotifySection, Settings, settings_model
from flows.settings_problems import Problem, WrongSettingsError, file_key, holds, inner_model, secret_fields, translate

Tree = dict[str, Any]
SECRET = re.compile(r"[!-~]([ -~]*[!-~])?")  # what a header of HTTP and a password of SMTP can hold


def load_settings(path: Path | None = None) -> Settings:
    """The settings from `path`, else from the file that SALESPULSE_SETTINGS names, else from ./salespulse.toml.

    Without any file the environment alone must do. Raises WrongSettingsError with all problems.
    """
    model = settings_model()
    file = _find(path)
    reading = _Reading(base=file.absolute().parent if file else Path.cwd(), file=file)
    from_file = reading.toml()
    reading.environment(model)
    merged = reading.resolve(_over(from_file, reading.from_env), model, ())
    settings: Settings | None = None
    try:
        settings = model.model_validate(merged)
    except ValidationError as error:
        told = {problem.key for problem in reading.problems}
        found = (translate(e, model, reading.origin) for e in error.errors())
        reading.problems += [problem for problem in found if problem.key not in told]
    if settings is None or reading.problems:
        raise WrongSettingsError(reading.problems)
    return settings


def load_notify(path: Path | None = None) -> tuple[NotifySection, Path] | None:
    """[notify] and the data folder of settings that are wrong elsewhere; None where [notify] itself cannot be read."""
    model = settings_model()
    try:
        file = _find(path)
        reading = _Reading(base=file.absolute().parent if file else Path.cwd(), file=file)
        from_file = reading.toml()
        reading.environment(model)
        merged = reading.resolve(_over(from_file, reading.from_env), model, ())
        return NotifySection.model_validate(merged.get("notify", {})), Path(str(merged["data_dir"]))
    except (WrongSettingsError, ValidationError):
        return None


def _find(path: Path | None) -> Path | None:
    if path is None and (named := os.environ.get(ENV_FILE)):
        path = Path(named)
    if path is None and Path(FILE).is_file():
        return Path(FILE)
    if path is None and any(name.upper().startswith(ENV_PREFIX) for name in os.environ):
        return None
    if path is None:
        hint = f"no {FILE} here: copy salespulse.example.toml to {FILE}, or name a file with --settings or {ENV_FILE}"
        raise WrongSettingsError([Problem(str(Path.cwd()), "", hint)])
    if not path.is_file():
        raise WrongSettingsError([Problem(str(path), "", f"no such file (named by --settings or {ENV_FILE})")])
    return path


def _over(below: Tree, above: Mapping[str, Any]) -> Tree:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


@dataclass(slots=True)
class _Reading:
    """One reading of the settings: paths are taken relative to `base`; `problems` collects what is wrong on the way."""

    base: Path
    file: Path | None
    from_env: Tree = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def toml(self) -> Tree:
        if self.file is None:
            return {}
        try:
            return tomllib.loads(self.file.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise WrongSettingsError([Problem(str(self.file), "", f"cannot be read as TOML: {error}")]) from None

    def environment(self, model: type[Settings]) -> None:
        """SALESPULSE__A__B=x as {"a": {"b": "x"}}; lists and tables are given as JSON."""
        source = EnvSettingsSource(model)
        for name, text in sorted(source.env_vars.items()):
            if not name.startswith(ENV_PREFIX.lower()):
                continue
            if (section := name.split("__")[1]) not in model.model_fields:
                self.problems.append(Problem("environment", name.upper(), f"there is no section or key {section!r}"))
            source.env_vars = {name: text}  # each alone, so that the one that cannot be read can be named
            try:
                self.from_env = _over(self.from_env, source())
            except SettingsError:
                self.problems.append(
                    Problem("environment", name.upper(), "no JSON; lists and tables are given as JSON")
                )

    def origin(self, key: tuple[str, ...]) -> str:
        """Where the value of a key was given."""
        at: Any = self.from_env
        for part in key:
            if not isinstance(at, dict) or part not in at:
                return str(self.file) if self.file else "environment"
            at = at[part]
        return "environment"

    def resolve(self, tree: Tree, model: type[Any], above: tuple[str, ...]) -> Tree:
        """The tree with paths made absolute and secrets read from the files that `<key>_file` names."""
        tree = dict(tree)
        for secret in secret_fields(model):
            key = secret
            if file_key(secret) in tree and file_key(secret) not in model.model_fields:
                self._read_secret(tree, secret, above)
                key = file_key(secret)
            if isinstance(tree.get(secret), str) and not SECRET.fullmatch(tree[secret]):
                told = (
                    "empty, or not as secrets are (one line of letters, digits and signs of ASCII): copy it there again, or delete the "
                    "section of a source that you do not have"
                )
                self.problems.append(Problem(self.origin((*above, key)), ".".join((*above, key)), told))
        for name, info in model.model_fields.items():
            value = tree.get(name)
            if value is None and isinstance(info.default, Path):
                value = str(info.default)
            if isinstance(value, str) and holds(info.annotation, Path) and not is_url(value):
                tree[name] = str(self.base / Path(value).expanduser())
            elif isinstance(value, dict) and (inner := inner_model(info.annotation)):
                tree[name] = (
                    {
                        key: self.resolve(part, inner, (*above, name, key)) if isinstance(part, dict) else part
                        for key, part in value.items()
                    }
                    if get_origin(info.annotation) is dict
                    else self.resolve(value, inner, (*above, name))
                )
        return tree

    def _read_secret(self, tree: Tree, secret: str, above: tuple[str, ...]) -> None:
        name = tree.pop(file_key(secret))
        key = (*above, file_key(secret))
        where = self.origin(key)
        if secret in tree:
            self.problems.append(Problem(where, ".".join(key), f"give {secret} or {file_key(secret)}, not both"))
            return
        try:
            tree[secret] = (self.base / Path(str(name)).expanduser()).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            self.problems.append(Problem(where, ".".join(key), f"the file {name!r} cannot be read: {reason}"))
            tree[secret] = "unread"  # so that it is not reported as missing too
