"""All settings, read once at start; the only reader of the environment.

Each field is set by ``HELSEKORT_<NAME>`` or by the option of the command line that carries its name,
and is described in ``docs/settings.md`` (a test compares).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cdr.consent import LegalBasis

MIB = 1024 * 1024
BUILTIN = "builtin"  # as the issuer: the one that this program carries, for development


class Mode(StrEnum):
    """In dev REST is open without a token, on loopback only; production needs an issuer to start."""

    DEV = "dev"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """The settings of one server."""

    model_config = SettingsConfigDict(env_prefix="HELSEKORT_", frozen=True, extra="forbid")

    mode: Mode = Field(Mode.PRODUCTION, description="dev or production; there is no third, open one.")
    host: str = Field("127.0.0.1", description="Address to listen on; dev takes a loopback address only.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data: Path = Field(Path("var/data"), description="Folder of the private database and of its lock.")
    mongodb_uri: SecretStr | None = Field(
        None, description="MongoDB replica set to use; without it the server starts a private mongod."
    )
    mongod: Path | None = Field(
        None,
        description="The mongod to start; without it the one on PATH, then that of the extra 'embedded'.",
    )
    mongod_cache_mib: int = Field(256, ge=256, description="Cache of the private mongod in MiB.")
    database: str = Field("helsekort", min_length=1, max_length=38, description="Name of the database.")
    issuer: str | None = Field(
        None,
        pattern="^(builtin|https://.+|http://(127\\.0\\.0\\.1|localhost)(:\\d+)?(/.*)?)$",
        description="OpenID issuer whose tokens are taken; production needs it. Dev: none, or `builtin`.",
    )
    citizen_issuer: str | None = Field(
        None,
        pattern="^https://.+$",
        description="OpenID issuer of citizens' tokens; none: citizens stay out.",
    )
    audience: str = Field(
        "nhn:maternity-record", min_length=1, description="The one audience that a token must be for."
    )
    bearer_tokens: bool = Field(
        False, description="Take tokens without DPoP too, if they are bound to no key."
    )
    public_url: str | None = Field(
        None,
        pattern="^https?://[^/?#]+$",
        description="Scheme and host by which clients know this server; production needs it for DPoP.",
    )
    system_id: str = Field(
        "no.helsekort.cdr",
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?$",
        description="Creating system in version ids; set once, never change it.",
    )
    body_limit: int = Field(8 * MIB, ge=1024, description="Largest request body in bytes.")
    query_seconds: float = Field(30.0, gt=0, le=300, description="Longest run of a query in seconds.")
    query_rows: int = Field(100_000, ge=1, description="Most rows that a query may return.")
    query_bytes: int = Field(
        64 * MIB, ge=1024, description="Largest RESULT_SET in bytes; whoever wants more takes a stream."
    )
    stream_bytes: int = Field(
        4096 * MIB, ge=1024, description="Largest answer as CSV, NDJSON, Arrow or Parquet, in bytes."
    )
    hot_indexes: int = Field(
        16,
        ge=0,
        le=32,
        description="Most indexes on values that queries over many records keep asking for; 0 makes none.",
    )
    query_worker_mib: int = Field(
        1024,
        ge=0,
        description="MiB of memory for the process that takes long queries; 0 makes none.",
    )
    commit_group: int = Field(64, ge=1, le=1000, description="Most commits in one database transaction.")
    store_patience: float = Field(
        10.0, gt=0, description="Seconds that a request waits for a database that does not answer."
    )
    template_refresh_seconds: float = Field(
        5.0, ge=0, description="Seconds until a revision published by another process is seen."
    )
    findings_limit: int = Field(
        1000, ge=1, le=100_000, description="Most findings that are told of one composition."
    )
    terminology_server: str | None = Field(
        None,
        pattern="^https?://.+/$",
        description="Base address of a FHIR R4 terminology server, with its last slash.",
    )
    terminology_seconds: float = Field(
        2.0, gt=0, le=30, description="Seconds that a terminology server may take for an answer."
    )
    terminology_silence: str = Field(
        "refuse",
        pattern="^(refuse|accept|queue)$",
        description="While the server is silent: refuse outside codes, accept them with a warning, or accept "
        "them and queue them to be checked when it answers again.",
    )
    terminology_recheck_seconds: float = Field(
        60.0, gt=0, description="Seconds between two attempts to check what is queued."
    )
    legal_basis: LegalBasis = Field(
        LegalBasis.CONSENT,
        description="What a card rests on: consent (she has said yes) or regulation (she has not said no).",
    )
    consent_register: str | None = Field(
        None,
        pattern="^https?://.+/$",
        description="Base address of the portal's register of consents, with its last slash; "
        "none: kept here.",
    )
    consent_register_token: SecretStr | None = Field(
        None, description="Bearer token that the register of consents wants of this server."
    )
    consent_register_seconds: float = Field(
        300.0, gt=0, le=86_400, description="Seconds that a word of that register is believed."
    )
    shielded_roles: str = Field(
        "",
        pattern="^([A-Z]{2}(,[A-Z]{2})*)?$",
        description="Roles (Volven 9060, with commas) that see shielded entries of other organisations.",
    )
    scrub_days: int = Field(
        7, ge=1, le=90, description="Days until a withdrawal is gone from the database's own traces too."
    )
    erasure_ledger: Path | None = Field(
        None,
        description="Folder for the ledger of erasures, apart from what backups restore; none: in the data "
        "folder.",
    )
    audit_key: Path | None = Field(
        None, description="JWK file of the key that signs the audit's heads; none: in the data folder."
    )
    audit_heads: Path | None = Field(
        None,
        description="Folder for the audit's signed heads, best on another machine; none: in the data folder.",
    )
    audit_heads_seconds: float = Field(
        3600.0, gt=0, description="Seconds between two publications of the heads of the audit."
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="Least severe log entry that is written."
    )

    @model_validator(mode="after")
    def _modes_keep_their_promises(self) -> Settings:
        if self.mode is Mode.PRODUCTION and not self.issuer:
            raise ValueError("production mode needs HELSEKORT_ISSUER; for a trial use --mode dev")
        if self.mode is Mode.PRODUCTION and not self.public_url:
            raise ValueError("production mode needs HELSEKORT_PUBLIC_URL, such as https://cdr.example.no")
        if self.mode is Mode.PRODUCTION and self.issuer == BUILTIN:
            raise ValueError("the built-in issuer is for --mode dev; production needs a real one")
        if self.mode is Mode.DEV and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(f"dev mode listens on loopback only, not on {self.host}")
        return self

    @property
    def is_dev(self) -> bool:
        """True in development mode."""
        return self.mode is Mode.DEV

    @property
    def audit_key_file(self) -> Path:
        """Where the key lies that signs the heads of the audit."""
        return self.audit_key or self.data / "audit" / "key.jwk"

    @property
    def audit_heads_folder(self) -> Path:
        """Where the signed heads of the audit are published."""
        return self.audit_heads or self.data / "audit" / "heads"

    @property
    def erasure_ledger_folder(self) -> Path:
        """Where erasures are kept beside the database."""
        return self.erasure_ledger or self.data / "erasures"

    @property
    def address(self) -> str:
        """Scheme and host by which clients know this server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def enforces_access(self) -> bool:
        """True where tokens, consent and access count: always but for a dev server without an issuer."""
        return self.issuer is not None
