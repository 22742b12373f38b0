"""What anything that knows terminologies is asked, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from archetypes.errors import HelsekortError

# The names of openEHR data for systems that have a URI of their own; OIDs become ``urn:oid:``.
SYSTEM_URIS = {
    "SNOMED-CT": "http://snomed.info/sct",
    "LOINC": "http://loinc.org",
    "ICD-10": "urn:oid:2.16.578.1.12.4.1.1.7110",
    "ICPC-2": "urn:oid:2.16.578.1.12.4.1.1.7170",
    "ATC": "http://www.whocc.no/atc",
}


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a system; ``system`` is its FHIR URI."""

    system: str
    code: str
    display: str = ""


class Verdict(StrEnum):
    """What a service says of a code; only ``VALID`` is a yes."""

    VALID = "valid"
    INVALID = "invalid"  # the system or value set is known and the code is none of it
    RETIRED = "retired"  # was one, and is not at that time
    UNKNOWN = "unknown"  # the system or value set is not known here
    UNREACHABLE = "unreachable"  # nobody answered


@dataclass(frozen=True, slots=True)
class Answer:
    """``successor`` replaces a retired code; ``provisional``: the list is not the real one yet."""

    verdict: Verdict
    display: str = ""
    successor: str = ""
    release: str = ""
    provisional: bool = False


class Unreachable(StrEnum):
    """What happens to data while a terminology server does not answer; there is no silent yes."""

    REFUSE = "refuse"
    ACCEPT = "accept"  # with a warning finding
    QUEUE = "queue"  # accept with a warning, and check again later


class TerminologyUnreachable(HelsekortError):
    """A terminology server did not answer, or answered what cannot be read."""

    code = "terminology.unreachable"

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"the terminology server did not answer {operation}: {reason}")
        self.operation = operation
        self.reason = reason


class TerminologyService(Protocol):
    """The FHIR R4 operations that we need; ``day`` is the day that the data are about."""

    async def is_idle(self) -> bool:
        """True while it knows no list at all, so that nobody need ask. Never raises."""
        ...

    async def validate_code(self, coding: Coding, value_set: str | None, day: date) -> Answer:
        """Is it a code of its system or, where one is named, of the value set? Never raises."""
        ...

    async def lookup(self, coding: Coding, day: date) -> Answer:
        """The display of a code, also of a retired one. Never raises."""
        ...

    async def expand(self, value_set: str, day: date) -> tuple[Coding, ...]:
        """The codes of a value set. Raises TerminologyUnreachable, UnknownValueSet."""
        ...

    async def subsumes(self, system: str, ancestor: str, code: str) -> bool | None:
        """Is the code the ancestor or below it? None where nobody knows."""
        ...


class UnknownValueSet(HelsekortError):
    """A value set that the service does not hold."""

    code = "terminology.unknown_value_set"

    def __init__(self, url: str) -> None:
        super().__init__(f"no value set {url}")
        self.url = url


def system_uri(terminology_id: str) -> str:
    """The FHIR URI of an openEHR terminology id; a version in brackets is left out."""
    name = terminology_id.partition("(")[0].strip()
    if name in SYSTEM_URIS:
        return SYSTEM_URIS[name]
    is_oid = "." in name and name.replace(".", "").isdigit()
    return f"urn:oid:{name}" if is_oid else name
