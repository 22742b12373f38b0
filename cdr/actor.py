"""Who acts: a person or a system, as its token says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cdr.grants import Grant


class ActorKind(StrEnum):
    """What somebody is to this server; the columns of the table in ``cdr.access_rules``."""

    CITIZEN = "citizen"  # the woman herself
    PROFESSIONAL = "professional"  # health personnel with an HPR number, through the EHR of an organisation
    SYSTEM = "system"  # a machine without a person behind it
    REGISTER = "register"  # the system of a national register: deaths, protected addresses, consents
    ANALYST = "analyst"
    STAFF = "staff"  # keeps templates and terminology
    OPERATOR = "operator"  # keeps the server
    OFFICER = "officer"  # the data-protection officer
    DEVELOPER = "developer"  # anybody, where access is not enforced; nobody, where it is
    SERVER = "server"  # this program itself


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or system behind a request.

    ``id`` is stable and is no national id, ``name`` is for people. ``role`` is the code of Volven 9060 (LE
    physician, JO midwife, SP nurse). ``organisation`` and ``unit`` are the numbers of the legal entity and of
    the place of work below it. ``person_id`` is the national id: it stays out of texts, logs and the audit.
    ``role_vouched``: the token vouches for the role; otherwise the calling system only states it.
    ``security_level`` is that of the log-in (4 is the highest), 0 where nobody logged in.
    ``grants`` are the scopes of the token, None where there is none; those for one patient are about
    ``launch_ehr``. ``attested_purpose`` is the purpose of use that the client vouches for (TREAT).
    """

    id: str
    name: str
    role: str = ""
    organisation: str = ""
    kind: ActorKind = ActorKind.DEVELOPER
    unit: str = ""
    person_id: str = field(default="", repr=False)
    hpr: str = ""
    client_id: str = ""
    security_level: int = 0
    grants: tuple[Grant, ...] | None = None
    launch_ehr: str = ""
    attested_purpose: str = ""
    role_vouched: bool = False
    source_system: str = ""
    event_id: str = ""

    @property
    def organisations(self) -> frozenset[str]:
        """The numbers under which a treatment relation of this actor may be on record."""
        return frozenset(number for number in (self.organisation, self.unit) if number)

    def patient_only(self, grants: Sequence[Grant]) -> bool:
        """Are the grants of a professional for the patient of the launch only? (A citizen is her own.)"""
        at_work = self.kind is not ActorKind.CITIZEN
        return at_work and bool(grants) and all(grant.compartment == "patient" for grant in grants)

    @property
    def care_unit(self) -> str:
        """The number under which a treatment relation that begins now is recorded; empty for others."""
        return (self.unit or self.organisation) if self.kind is ActorKind.PROFESSIONAL else ""
