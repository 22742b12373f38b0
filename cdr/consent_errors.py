"""Why a card is closed, or a decision about it cannot be taken; branches of the tree in ``cdr.errors``.

NotAllowed
└── CardClosed              403  nothing of the card is stored or shown
    ├── PersonDeceased  AddressConfidential  ConsentMissing  CardBlocked
Conflict                    409
├── ConsentGiven  ConsentKeptElsewhere  RemovalRunning  CardExists  CardInactive  ConsentChanged
BadRequest                  400
├── ConsentElsewhere             a consent composition that did not come by the consent's own door
├── NotConfirmed                 she was not shown what she decides about
├── MalformedNationalId
└── BadBlock
NotFound                    404
└── UnknownCard  UnknownBlock  UnknownRemoval
"""

from __future__ import annotations

from cdr.errors import BadRequest, Conflict, NotAllowed, NotFound


class CardClosed(NotAllowed):
    """Nothing of the card may be stored or shown; the reason says no more than the code."""

    code = "card.closed"
    reason_text = ""

    def __init__(self) -> None:
        super().__init__("the card", self.reason_text)


class ConsentMissing(CardClosed):
    """No consent, withdrawn consent, or a register of consents that does not answer."""

    code = "consent.missing"
    reason_text = "there is no consent"


class PersonDeceased(CardClosed):
    """The register of persons says that she is dead."""

    code = "consent.deceased"
    reason_text = "the person is deceased"


class AddressConfidential(CardClosed):
    """Her address is confidential: she may not have a shared card."""

    code = "consent.confidential_address"
    reason_text = "the address is confidential"


class CardBlocked(CardClosed):
    """She has blocked her card for the caller; an emergency opens it."""

    code = "consent.blocked"
    reason_text = "it is blocked by the woman; basis AKUTT or FORHOYET_SAMTYKKE opens it"


class ConsentGiven(Conflict):
    """A yes where there is one."""

    code = "consent.given"

    def __init__(self) -> None:
        super().__init__("consent is given already")


class ConsentKeptElsewhere(Conflict):
    """A decision here, where the portal's register keeps the consents."""

    code = "consent.kept_elsewhere"

    def __init__(self) -> None:
        super().__init__("consents are given and withdrawn in the portal, which tells this server")


class ConsentChanged(Conflict):
    """Two decisions at once: the other one came first."""

    code = "consent.changed"

    def __init__(self) -> None:
        super().__init__("the consent, a block or the card was changed at the same time; read it again")


class RemovalRunning(Conflict):
    """A new consent while what was stored under the old one is still being removed."""

    code = "consent.removal_running"

    def __init__(self, job: str) -> None:
        super().__init__("what was stored before is still being removed; try again in a moment")
        self.job = job


class CardExists(Conflict):
    """A second active card."""

    code = "card.exists"

    def __init__(self, card_id: str) -> None:
        super().__init__("there is an active card already")
        self.card_id = card_id


class CardInactive(Conflict):
    """No card that new entries could belong to, or not this one."""

    code = "card.inactive"

    def __init__(self, card_id: str = "") -> None:
        super().__init__("there is no such active card")
        self.card_id = card_id


class ConsentElsewhere(BadRequest):
    """A consent composition that came by another door than that of consents."""

    code = "consent.elsewhere"

    def __init__(self) -> None:
        super().__init__(
            "consent is given and withdrawn by the woman herself, not by storing its composition"
        )


class NotConfirmed(BadRequest):
    """A decision without the confirmation that she read what it means."""

    code = "consent.not_confirmed"

    def __init__(self, document: str) -> None:
        super().__init__(f"the decision must be confirmed on the text {document}, which is in force")
        self.document = document


class MalformedNationalId(BadRequest):
    """A header that should hold a national id; the text itself is not repeated."""

    code = "person.malformed"

    def __init__(self) -> None:
        super().__init__(
            "the header nhn-patient-nin must hold a national id: 11 digits with right check digits"
        )


class BadBlock(BadRequest):
    """A block that names nothing that could be blocked."""

    code = "block.malformed"


class UnknownCard(NotFound):
    """No such card of hers."""

    code = "card.unknown"

    def __init__(self) -> None:
        super().__init__("there is no such card")


class UnknownBlock(NotFound):
    """No such block of hers."""

    code = "block.unknown"

    def __init__(self) -> None:
        super().__init__("there is no such block")


class UnknownRemoval(NotFound):
    """No such removal of hers."""

    code = "removal.unknown"

    def __init__(self) -> None:
        super().__init__("there is no such removal")
