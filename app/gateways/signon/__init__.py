"""Ways to prove who somebody is: the local password, an LDAP directory, Yuezhengyi (粤政易).

A provider says only who it is, never what he may do: the identity is matched with `AppUser.external_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

LOCAL = "local"


class SignOnRefused(Exception):
    """The provider, or its answer, is not to be trusted this time; the text is for the log, in English."""


class SignOnUnavailable(SignOnRefused):
    """The provider cannot be reached or is not installed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a provider says this is. Issuer and subject together are the key; an e-mail address never is."""

    issuer: str
    subject: str

    @property
    def external_id(self) -> str:
        """What `AppUser.external_id` holds: `ldap|zhangsan`."""
        return f"{self.issuer}|{self.subject}"


class PasswordProvider(Protocol):
    """A provider that takes a user name and a password in our own form."""

    @property
    def key(self) -> str:
        """Under which name the log-in form knows it."""
        ...

    def external_id(self, username: str) -> str:
        """The identity a user name would have, before anything is proved."""
        ...

    def verify(self, username: str, password: str) -> Identity | None:
        """Who this is; None for a wrong name or password. Raises `SignOnUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Handshake:
    """What one journey to a provider and back must carry unchanged; used once."""

    state: str
    nonce: str
    verifier: str


class RedirectProvider(Protocol):
    """A provider that takes the browser to its own page, a QR code for instance, and sends it back."""

    @property
    def key(self) -> str:
        """Under which name the log-in page knows it."""
        ...

    def begin(self) -> Handshake:
        """A new handshake, every part random."""
        ...

    def address(self, handshake: Handshake, redirect_uri: str) -> str:
        """Where to send the browser."""
        ...

    def finish(self, answer: Mapping[str, str], handshake: Handshake | None, redirect_uri: str) -> Identity:
        """Who came back. Raises `SignOnRefused` for anything that does not fit the handshake."""
        ...


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers that the settings switch on, besides the local one."""

    passwords: tuple[PasswordProvider, ...] = ()
    redirects: tuple[RedirectProvider, ...] = ()

    def password(self, key: str) -> PasswordProvider | None:
        """The password provider of that key."""
        return next((provider for provider in self.passwords if provider.key == key), None)

    def redirect(self, key: str) -> RedirectProvider | None:
        """The redirect provider of that key."""
        return next((provider for provider in self.redirects if provider.key == key), None)


def configured(settings: Mapping[str, Any]) -> Providers:
    """The providers for a configuration; raises `ValueError` for one that is only half filled in."""
    from app.gateways.signon.ldap import LdapDirectory
    from app.gateways.signon.yuezhengyi import Yuezhengyi

    ldap = LdapDirectory.from_settings(settings)
    yuezhengyi = Yuezhengyi.from_settings(settings)
    return Providers((ldap,) if ldap else (), (yuezhengyi,) if yuezhengyi else ())
