"""The language of texts for people: Norwegian bokmål or English, by ``Accept-Language``."""

from __future__ import annotations

from starlette.requests import Request

DEFAULT_LANGUAGE = "en"
_SPOKEN = {"nb": "nb", "no": "nb", "nn": "nb", "da": "nb", "sv": "nb", "en": "en"}


def preferred_language(request: Request) -> str:
    """``nb`` or ``en``: the language of the heaviest range that we can serve, English when there is none."""
    best, best_weight = DEFAULT_LANGUAGE, 0.0
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, parameter = part.strip().lower().partition(";")
        language = _SPOKEN.get(tag.strip().partition("-")[0])
        weight = _weight(parameter)
        if language and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    """The number of ``q=0.8``; an unreadable one counts as 0, for a language is not worth an error."""
    name, _, number = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(number) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
