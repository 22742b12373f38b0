"""Who, when, where: what a composition says about a contact besides the card's fields."""

from __future__ import annotations

from dataclasses import dataclass

from archetypes.terminology.openehr import terminology
from templates.data_values import DataValue, code_phrase, coded

HPR = "2.16.578.1.12.4.1.4.4"  # the register of health personnel
ORGANISATION_NUMBER = "2.16.578.1.12.4.1.4.101"
ROLES = "2.16.578.1.12.4.1.1.9060"  # Volven 9060, categories of health personnel


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A person or organisation; ``identifier`` is a number issued by the register ``issuer`` (an OID)."""

    name: str
    identifier: str | None = None
    issuer: str = ""

    def identified(self) -> DataValue:
        """The PARTY_IDENTIFIED."""
        party: DataValue = {"_type": "PARTY_IDENTIFIED", "name": self.name}
        if self.identifier:
            number = {"_type": "DV_IDENTIFIER", "issuer": self.issuer, "id": self.identifier}
            party["identifiers"] = [{name: text for name, text in number.items() if text}]
        return party


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The circumstances of one contact.

    ``start_time`` is ISO 8601 with zone; ``composer`` None is the woman herself; ``setting`` a code of
    the openEHR group (``231``); ``role`` the code of the composer's profession (``JO``, Volven 9060)
    with its text; ``contact_type`` a code of the pregnancy context (``at0009``). ``pregnancy_id``,
    ``gestational_age`` and ``contact_type`` are left out where the template has no place for them.
    """

    start_time: str
    setting: str
    composer: Party | None = None
    role: tuple[str, str] | None = None
    facility: Party | None = None
    pregnancy_id: str | None = None
    gestational_age: str | None = None
    contact_type: str | None = None
    language: str = "nb"
    territory: str = "NO"

    def field_values(self) -> dict[str, str]:
        """What of the header are fields of the card."""
        given = {"HK0.1": self.pregnancy_id, "HK0.5": self.gestational_age, "HK0.6": self.contact_type}
        return {field: value for field, value in given.items() if value is not None}

    def author(self) -> DataValue:
        """COMPOSITION.composer."""
        return {"_type": "PARTY_SELF"} if self.composer is None else self.composer.identified()

    def context(self) -> DataValue:
        """EVENT_CONTEXT without other_context."""
        rubric = terminology().rubric("setting", self.setting, self.language) or self.setting
        context: DataValue = {
            "_type": "EVENT_CONTEXT",
            "start_time": {"_type": "DV_DATE_TIME", "value": self.start_time},
            "setting": coded(self.setting, "openehr", rubric),
        }
        if self.facility is not None:
            context["health_care_facility"] = self.facility.identified()
        if self.role is not None and self.composer is not None:
            function = coded(self.role[0], ROLES, self.role[1])
            performer = self.composer.identified()
            context["participations"] = [
                {"_type": "PARTICIPATION", "function": function, "performer": performer}
            ]
        return context

    def language_code(self) -> DataValue:
        """COMPOSITION.language, ENTRY.language."""
        return code_phrase(self.language, "ISO_639-1")

    def territory_code(self) -> DataValue:
        """COMPOSITION.territory."""
        return code_phrase(self.territory, "ISO_3166-1")
