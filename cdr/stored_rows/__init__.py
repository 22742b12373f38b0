"""Rows: the values of a composition laid out flat, so that most queries need not read it.

Rows are derived from the stored composition, which stays the truth (docs/architecture.md, "Rows").
``codes`` names places, ``maker`` makes the rows of a composition. Pure: neither AQL nor the store is known.
"""

from cdr.stored_rows.codes import chain, root_code, slot_segment, stem
from cdr.stored_rows.maker import FORMAT, MAX_ROWS, Row, make_rows

__all__ = ["FORMAT", "MAX_ROWS", "Row", "chain", "make_rows", "root_code", "slot_segment", "stem"]
