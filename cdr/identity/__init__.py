"""Who is calling: access tokens of trusted issuers, bound to the caller's key by DPoP (RFC 9449).

All cryptography is that of ``joserfc``; what a token must hold is written here, by names of claims and
scopes that ``mapping.toml`` holds as data. Nothing here knows HTTP but the fetching of an issuer's keys.
"""
