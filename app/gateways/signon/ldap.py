"""Sign-on by an LDAP directory (统一认证, government side): search for the person, then bind as him.

python-ldap needs C headers; it is imported when first used, and a machine without it runs without LDAP.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.gateways.signon import Identity, SignOnUnavailable

SECONDS_TO_WAIT = 5
_SPECIAL = {"\\": r"\5c", "*": r"\2a", "(": r"\28", ")": r"\29", "\x00": r"\00"}


def escape_filter(text: str) -> str:
    """RFC 4515: what a value needs so that it stays a value within a search filter."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _load_module() -> Any:
    try:
        return importlib.import_module("ldap")
    except ImportError as error:
        raise SignOnUnavailable("python-ldap is not installed; install the extra `ldap`") from error


@dataclass(frozen=True)
class LdapDirectory:
    """One directory. `LDAP_URL` switches it on; ldaps:// or STARTTLS only, unless LDAP_PLAINTEXT=1."""

    url: str
    search_base: str
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    user_field: str = "uid"
    plaintext: bool = False
    key: str = "ldap"

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> LdapDirectory | None:
        """The directory of the settings, None without `LDAP_URL`."""
        url = str(settings.get("LDAP_URL", ""))
        if not url:
            return None
        search_base = str(settings.get("LDAP_SEARCH_BASE", ""))
        if not search_base:
            raise ValueError("LDAP_URL is set but LDAP_SEARCH_BASE is not: say where people are looked for.")
        return cls(
            url=url,
            search_base=search_base,
            bind_dn=str(settings.get("LDAP_BIND_DN", "")),
            bind_password=str(settings.get("LDAP_BIND_PASSWORD", "")),
            user_field=str(settings.get("LDAP_USER_FIELD", "") or "uid"),
            plaintext=str(settings.get("LDAP_PLAINTEXT", "0")) == "1",
        )

    def external_id(self, username: str) -> str:
        """The identity under that name; names are compared without case in directories."""
        return Identity(self.key, username.lower()).external_id

    def verify(self, username: str, password: str) -> Identity | None:
        """Who this is; None for a wrong name or password. Raises `SignOnUnavailable`."""
        # A bind without a password succeeds anonymously in many directories (RFC 4513, 5.1.2).
        if not username or not password.strip("\x00"):
            return None
        ldap = _load_module()
        try:
            connection = self._connect(ldap)
            found = self._find(ldap, connection, username)
            if found is None:
                return None
            dn, subject = found
            connection.simple_bind_s(dn, password)
        except ldap.INVALID_CREDENTIALS:
            return None
        except ldap.LDAPError as error:
            raise SignOnUnavailable(f"LDAP: {type(error).__name__}") from error
        return Identity(self.key, subject.lower())

    def _connect(self, ldap: Any) -> Any:
        connection = ldap.initialize(self.url)
        connection.set_option(ldap.OPT_REFERRALS, 0)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, SECONDS_TO_WAIT)
        connection.set_option(ldap.OPT_TIMEOUT, SECONDS_TO_WAIT)
        if not self.url.startswith("ldaps://") and not self.plaintext:
            connection.start_tls_s()
        return connection

    def _find(self, ldap: Any, connection: Any, username: str) -> tuple[str, str] | None:
        """The one person of that name: his DN and the name as the directory writes it."""
        try:
            connection.simple_bind_s(self.bind_dn, self.bind_password)
        except ldap.INVALID_CREDENTIALS as error:
            raise SignOnUnavailable("LDAP refuses LDAP_BIND_DN or LDAP_BIND_PASSWORD") from error
        entries = connection.search_s(
            self.search_base,
            ldap.SCOPE_SUBTREE,
            f"({self.user_field}={escape_filter(username)})",
            [self.user_field],
        )
        people = [(dn, attributes) for dn, attributes in entries if dn]
        if len(people) != 1:
            return None
        dn, attributes = people[0]
        names = attributes.get(self.user_field, [])
        return (dn, names[0].decode()) if names else None
