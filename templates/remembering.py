"""What is worked out of a template once, and kept for as long as the template is in use."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from templates.operational import OperationalTemplate

T = TypeVar("T")
_MOST = 256  # templates whose results are kept


def once_a_template(work: Callable[[OperationalTemplate], T]) -> Callable[[OperationalTemplate], T]:
    """Do ``work`` once for each template; its result must never be changed."""
    known: dict[int, tuple[OperationalTemplate, T]] = {}

    @wraps(work)
    def remembered(opt: OperationalTemplate) -> T:
        found = known.get(id(opt))
        # The template is kept beside the result, so that its id is not given to another one.
        if found is not None and found[0] is opt:
            return found[1]
        made = work(opt)
        if len(known) >= _MOST:
            known.clear()
        known[id(opt)] = (opt, made)
        return made

    return remembered
