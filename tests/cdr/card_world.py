"""A server that enforces access, a woman with consent and an active card, and the people around her."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cdr import cards, compositions, consents, contributions, ehrs
from cdr.actor import Actor, ActorKind
from cdr.consent_changes import TEMPLATE
from cdr.consent_texts import text_version
from cdr.context import Ctx
from cdr.repeats import Repeatable
from cdr.settings import BUILTIN, Mode, Settings
from cdr.versions import StoredVersion
from templates.repository import library_templates
from tests.cdr.small_template import note, published_small_template, status
from tests.cdr.test_access import CITIZEN, FNR, KARI, MIDWIFE, person
from tests.cdr.updates import contribution, update

MARK = "Merkelig-7781"

CARD, SHIELDED, OPEN = "card_note.v0", "shielded_note.v0", "note.v0"
HOSPITAL = replace(
    MIDWIFE, id="p9", name="Ola Nes", organisation="983974872", unit="", hpr="222200071", role="LE"
)
NEIGHBOUR = replace(HOSPITAL, id="p8", name="Per Dal", hpr="222200098")
ANALYST = Actor(id="a1", name="Ada", kind=ActorKind.ANALYST, security_level=4)
OFFICER = Actor(id="o1", name="Odd", kind=ActorKind.OFFICER, security_level=4)

__all__ = ["CITIZEN", "FNR", "KARI", "MIDWIFE", "World", "enforcing", "note", "status"]


@dataclass(frozen=True)
class World:
    """Requests of the people around one woman; ``ctx`` is the midwife's."""

    ctx: Ctx
    ehr_id: str
    national_id: str = KARI

    def by(self, actor: Actor, basis: str = "UNNTAK") -> Ctx:
        """A request of somebody else."""
        return replace(
            self.ctx, actor=actor, basis=basis, reason="livet står på spill" if basis == "AKUTT" else ""
        )

    @property
    def her(self) -> Ctx:
        """A request of the woman."""
        return self.by(replace(CITIZEN, person_id=self.national_id), "")

    async def consent(self) -> None:
        """She says yes."""
        await consents.give_consent(self.her, self.ehr_id, document=text_version())

    async def withdraw(self) -> str:
        """She says no."""
        return await consents.withdraw_consent(self.her, self.ehr_id, document=text_version())

    async def card(self) -> str:
        """The midwife begins a card."""
        return (await cards.create_card(self.ctx, self.ehr_id)).id

    async def write(self, name: str, template: str = CARD, by: Actor = MIDWIFE) -> StoredVersion:
        """An entry."""
        data = note(name, template_id=template)
        return await compositions.create_composition(self.by(by, "SAMTYKKE"), self.ehr_id, data)

    async def contribute(self) -> None:
        """A complete entry and a draft in one contribution, which may be sent again."""
        complete = update("249", note(MARK, template_id=CARD))
        draft = update("249", note(MARK, template_id=CARD), state="553")
        body = contribution(complete, draft)
        body["audit"]["description"] = {"_type": "DV_TEXT", "value": MARK}
        again = Repeatable("key", MARK.encode())
        await contributions.create_contribution(self.ctx, self.ehr_id, body, repeatable=again)


def enforcing(ctx: Ctx, **settings: object) -> Ctx:
    """The midwife's request on a server that enforces access and knows the templates."""
    for template, access in ((CARD, "card"), (SHIELDED, "shielded")):
        ctx.templates.add(*published_small_template(template, access))
    consent = library_templates()[TEMPLATE]
    published, _ = published_small_template(TEMPLATE)
    ctx.templates.add(published, consent)
    enforced = Settings(mode=Mode.DEV, issuer=BUILTIN, **settings)  # type: ignore[arg-type]
    return replace(ctx, actor=MIDWIFE, settings=enforced, basis="UNNTAK")


async def a_world(ctx: Ctx) -> World:
    """A woman with a record, and nothing else."""
    ehr = await ehrs.create_ehr(ctx, status=person(KARI))
    return World(ctx, ehr.ehr_id)


async def a_card(ctx: Ctx) -> World:
    """A woman with consent and an active card."""
    world = await a_world(ctx)
    await world.consent()
    await world.card()
    return world
