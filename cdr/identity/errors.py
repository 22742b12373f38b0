"""Why somebody is not known to the server.

HelsekortError
├── TokenRefused     the token, or its proof of possession, is not good (401)
└── IssuerSilent     the issuer's keys cannot be had now (503)
"""

from __future__ import annotations

from archetypes.errors import HelsekortError

INVALID_TOKEN = "invalid_token"
INVALID_PROOF = "invalid_dpop_proof"


class TokenRefused(HelsekortError):
    """``code`` says which rule is broken, ``error`` is the OAuth error of RFC 6750 and RFC 9449.

    The text never repeats anything from the token.
    """

    code = "token.refused"

    def __init__(self, code: str, reason: str, error: str = INVALID_TOKEN) -> None:
        super().__init__(reason)
        self.code = code
        self.error = error


class IssuerSilent(HelsekortError):
    """No key of the issuer is known, and it does not give any."""

    code = "token.issuer_silent"

    def __init__(self, issuer: str) -> None:
        super().__init__(f"the keys of the issuer {issuer} cannot be had now; try again")
