"""Her copy on paper: every value by name, and no sign lost."""

from __future__ import annotations

from datetime import UTC, datetime

from api.copy_pdf import copy_pdf, readable
from cdr.consent_texts import consent_texts
from cdr.her_copy import Entry, HerCopy
from tests.api.her import FIRST, VISIT, entry

TEXTS = consent_texts("nb", scrub_days=7)
AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_every_value_stands_by_its_name() -> None:
    visit = entry("Eksempelvik", VISIT, HK13_4="112 mm[Hg]", HK13_5="70 mm[Hg]", HK13_17="Fin form, æøå")
    lines = [(name, value) for _, name, value in readable(visit["content"], TEXTS)]
    assert ("Undersøkelse", "") in lines and ("Blodtrykk", "") in lines
    assert {"112 mm[Hg]", "70 mm[Hg]", "68.5 kg", "Fin form, æøå"} <= {value for _, value in lines}


def test_signs_that_no_font_has_do_not_stop_it() -> None:
    strange = entry("Sámi ŋ 中 <b>&", FIRST, HK7_11="漢 & <i>")
    copy = HerCopy(AT, (), (), [Entry("a::b::1", AT, strange)], with_total=False)
    assert copy_pdf(copy, TEXTS, "nb").startswith(b"%PDF")
    assert copy_pdf(HerCopy(AT, (), (), [], with_total=True), TEXTS, "nb").startswith(b"%PDF")
