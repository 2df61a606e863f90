"""What is typed to log in, and to make the first administrator of a host."""

from __future__ import annotations

from tui.models.form import Field, Form

LOGIN_FORM = Form(
    "login",
    "Log in",
    (
        Field("user", "text", "User", "alice", help="A user of this host who may administer it."),
        Field("password", "secret", "Password", help="It is not shown.", secret=True),
    ),
)
FIRST_FORM = Form(
    "login",
    "First administrator",
    (
        Field("user", "text", "User", "alice", help="Small letters, digits, - and _. Also for SSH and for sudo."),
        Field("password", "secret", "Password", help="At least 12 characters, such as four words.", secret=True),
        Field("repeat", "secret", "Once more", help="The same password again.", secret=True),
    ),
)
