"""Logging in, and the user who did."""

from __future__ import annotations

from pydantic import Field

from tui.models.contract.base import Operation, Wire
from tui.models.contract.common import Accepted


class Login(Wire):
    password: str = Field("", repr=False)
    username: str = ""


class LoggedIn(Wire):
    is_first_login: bool = Field(False, validation_alias="IsFirstLogin", serialization_alias="IsFirstLogin")
    token: UserToken | None = Field(None, validation_alias="Token", serialization_alias="Token")


class UserToken(Wire):
    authorization: str = Field("", validation_alias="Authorization", serialization_alias="Authorization", repr=False)
    """The JWT."""


class PasswordReset(Wire):
    new_password: str = Field("", repr=False)
    old_password: str = Field("", repr=False)


class User(Wire):
    disable_password_update: bool = False
    ssh_keys: list[str] = []
    user_name: str = ""


CURRENT: Operation[User] = Operation("V1CurrentUser", "GET", "/v1/users/current", User)
PATCH_CURRENT: Operation[Accepted] = Operation(
    "v1PatchCurrentUser", "PATCH", "/v1/users/current", Accepted, User, good=202
)
LOGIN: Operation[LoggedIn] = Operation("V1UserLogin", "POST", "/v1/users/default/login", LoggedIn, Login)
LOGOUT: Operation[None] = Operation("V1UserLogout", "POST", "/v1/users/default/logout", type(None))
RESET_PASSWORD: Operation[None] = Operation(
    "V1UserPasswordReset", "POST", "/v1/users/default/password/reset", type(None), PasswordReset, good=204
)
RENEW: Operation[UserToken] = Operation("V1UserTokenRenewal", "POST", "/v1/users/default/token/renewal", UserToken)
