# ruff: noqa: SIM905 (a word list reads best as words)
"""The words that an invented company is made of, and how a world file writes instants."""

from __future__ import annotations

from datetime import UTC, datetime

FIRST = (
    "Ada Ben Cem Dua Eva Finn Gia Hugo Ines Jan Kira Leo Mara Nils Olga Paul Quinn Rosa Sami Tara Ugo "
    "Vera Wim Xenia Yusuf Zoe Amir Bea Carl Dora Emil Fay Gus Hana Ivo Jill Kai Lena Milo Nora Otis Pia "
    "Rafa Sina Theo Una Vito Wanda Yara Zeno "
).split()
LAST = (
    "Adler Brandt Costa Diaz Ekman Fischer Grant Haas Ivanov Jensen Keller Lopez Meyer Novak Okoye Petrov "
    "Quist Rossi Silva Tan Ueda Vogel Weber Xu Young Zimmer Albers Blom Chen Duval Evans Frost Gupta Hahn "
    "Iqbal Jones Kovac Lind Moore Nagel "
).split()
TRADES = (
    "Logistics Foods Robotics Textiles Energy Paper Optics Software Marine Health Travel Metals Media Labs Retail "
).split()
PLACES = (
    "Alder Birch Cedar Delta Ember Fjord Grove Harbor Iris Juniper Kestrel Lumen Maple North Orchard "
    "Prairie Quarry River Summit Terra Upland Vale Willow Xenon Yarrow Zephyr "
).split()
PHONE_RANGES = {"GB": "+447700900", "DE": "+493023125", "SG": "+61491570", "US": "+1{area}55501"}
AREAS = (201, 202, 203, 205, 206, 207, 208, 209, 210, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234)


def instant(at: datetime) -> str:
    """An instant as a world file writes it: whole seconds of UTC, `2026-03-20T06:00:00Z`."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def phone(region: str, n: int) -> str:
    """The nth number of a region's range for fiction, in E.164. Past a small range's end it goes on in the US's."""
    if region != "US" and n < 1000:
        return f"{PHONE_RANGES[region]}{n:03d}"
    area = AREAS[(n // 100) % len(AREAS)] + 300 * (n // (100 * len(AREAS)))
    return PHONE_RANGES["US"].format(area=area) + f"{n % 100:02d}"
