"""Sign-on by Yuezhengyi (粤政易): the authorization code flow of OpenID Connect, shown there as a QR code.

Addresses come from the settings alone, never from what a browser or the provider sends (SEC-08, SEC-39).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import jwt

from app.gateways.signon import Handshake, Identity, SignOnRefused, SignOnUnavailable

SECONDS_TO_WAIT = 5
CLOCKS_DIFFER_BY = 60
LONGEST_ANSWER = 1_000_000
_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "nonce")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_SHARED_SECRET = ("HS256",)
_PUBLIC_KEY = ("RS256", "ES256")


@dataclass(frozen=True)
class Yuezhengyi:
    """One client registration. Tokens are signed with the client secret, or with a key of `jwks_url`."""

    issuer: str
    authorize_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    jwks_url: str = ""
    key: str = "yuezhengyi"

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Yuezhengyi | None:
        """The registration of the settings, None when nothing of it is set."""
        names = ("ISSUER", "AUTHORIZE_URL", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET")
        values = {name: str(settings.get(f"YUEZHENGYI_{name}", "")) for name in names}
        if not any(values.values()):
            return None
        missing = [f"YUEZHENGYI_{name}" for name, value in values.items() if not value]
        if missing:
            raise ValueError(f"Yuezhengyi sign-on is only half configured; {', '.join(missing)} is missing.")
        for name in ("AUTHORIZE_URL", "TOKEN_URL", "JWKS_URL"):
            _refuse_plain_http(f"YUEZHENGYI_{name}", str(settings.get(f"YUEZHENGYI_{name}", "")))
        return cls(
            **{name.lower(): value for name, value in values.items()},
            jwks_url=str(settings.get("YUEZHENGYI_JWKS_URL", "")),
        )

    def begin(self) -> Handshake:
        """A new handshake, every part random."""
        return Handshake(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))

    def address(self, handshake: Handshake, redirect_uri: str) -> str:
        """Where to send the browser."""
        digest = hashlib.sha256(handshake.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "scope": "openid",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "state": handshake.state,
            "nonce": handshake.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        separator = "&" if "?" in self.authorize_url else "?"
        return f"{self.authorize_url}{separator}{urllib.parse.urlencode(query)}"

    def finish(self, answer: Mapping[str, str], handshake: Handshake | None, redirect_uri: str) -> Identity:
        """Who came back. Raises `SignOnRefused` for anything that does not fit the handshake."""
        if handshake is None or not hmac.compare_digest(answer.get("state", ""), handshake.state):
            raise SignOnRefused("state does not match")
        if answer.get("error") or not answer.get("code"):
            raise SignOnRefused("the provider sent no code")
        token = self._redeem(answer["code"], handshake, redirect_uri)
        claims = self._claims(token)
        if not hmac.compare_digest(str(claims["nonce"]), handshake.nonce):
            raise SignOnRefused("nonce does not match")
        return Identity(str(claims["iss"]), str(claims["sub"]))

    def _redeem(self, code: str, handshake: Handshake, redirect_uri: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code_verifier": handshake.verifier,
        }
        opener = _opener()
        try:
            data = urllib.parse.urlencode(form).encode()
            with opener.open(self.token_url, data, timeout=SECONDS_TO_WAIT) as response:
                body = json.loads(response.read(LONGEST_ANSWER))
        except urllib.error.HTTPError as error:
            raise SignOnRefused(f"the code was not accepted ({error.code})") from error
        except (OSError, ValueError) as error:
            raise SignOnUnavailable(f"token endpoint: {type(error).__name__}") from error
        token = body.get("id_token") if isinstance(body, dict) else None
        if not isinstance(token, str):
            raise SignOnRefused("the provider sent no identity token")
        return token

    def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            key: Any = self.client_secret
            if self.jwks_url:
                key = jwt.PyJWKClient(self.jwks_url, timeout=SECONDS_TO_WAIT).get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=_PUBLIC_KEY if self.jwks_url else _SHARED_SECRET,
                audience=self.client_id,
                issuer=self.issuer,
                leeway=CLOCKS_DIFFER_BY,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise SignOnUnavailable("key endpoint cannot be reached") from error
        except jwt.PyJWTError as error:
            raise SignOnRefused(f"identity token: {type(error).__name__}") from error
        return cast(Mapping[str, Any], claims)


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and nothing else: no file addresses, no redirect to another host."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("Accept", "application/json")]
    return opener


def _refuse_plain_http(name: str, address: str) -> None:
    parts = urllib.parse.urlsplit(address)
    if address and parts.scheme != "https" and parts.hostname not in _THIS_MACHINE:
        raise ValueError(f"{name} must be an https address: secrets would travel in the clear.")
