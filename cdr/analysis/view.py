"""What an analyst sees: pseudonyms of a project, and what was permitted to it by name. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cdr.analysis.columns import CardColumn, Privacy

SMALLEST_CELL = 5
SMALL_CELLS = "small cells"
EHR_IDS = "ehr ids"
# What can be permitted by name, beside single fields of the card (HK13.17).
PERMITTED = frozenset(
    {Privacy.TEXT.value, Privacy.IDENTIFIER.value, Privacy.RESTRICTED.value, SMALL_CELLS, EHR_IDS}
)
_FIELD = re.compile(r"HK\d{1,2}\.\d{1,2}", re.ASCII)


def can_be_permitted(what: str) -> bool:
    """Is it a kind of data that an analyst does not see, or a field of the card?"""
    return what in PERMITTED or _FIELD.fullmatch(what) is not None


@dataclass(frozen=True, slots=True)
class View:
    """The view of one analyst in one project.

    ``permitted`` are kinds of data and fields of the card that are shown beyond the rule.
    """

    project: str
    key: bytes = field(repr=False)
    permitted: frozenset[str] = frozenset()

    def pseudonym(self, identifier: str) -> str:
        """The same for the same id in the same project, and of no use outside it; 32 hex digits."""
        if EHR_IDS in self.permitted:
            return identifier
        return hmac.new(self.key, identifier.encode(), hashlib.sha256).hexdigest()[:32]

    def shows(self, privacy: Privacy, fields: Iterable[str] = ()) -> bool:
        """May data of this kind be seen? Those of a field also where that field is permitted."""
        if privacy in (Privacy.OPEN, Privacy.KEY) or privacy.value in self.permitted:
            return True
        named = set(fields)
        return bool(named) and named <= self.permitted

    def shows_column(self, column: CardColumn) -> bool:
        """May a column of a table be seen?"""
        return self.shows(column.privacy, () if column.field is None else column.field.fields)

    @property
    def hides_small_cells(self) -> bool:
        """Are counts of few persons hidden?"""
        return SMALL_CELLS not in self.permitted
