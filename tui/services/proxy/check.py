"""Is what somebody wants of the proxy wise on this host? Pure: from the draft and the facts."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING

from tui.models.change import Issue
from tui.models.facts import Facts
from tui.services.proxy import kept, login, places
from tui.services.proxy.exceptions import proposed
from tui.services.proxy.settings import Settings, network

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.proxy import ProxyConfig

SHARED = (places.PAM, places.DNF)
"""Files that others write too; where they are no plain text they are left alone."""


def foreign(path: str, facts: Facts) -> bool:
    """Whether a shared file is something that Onsite must not rewrite: a link, or no UTF-8."""
    file = facts.file(path)
    return path in SHARED and bool(file.target or "\ufffd" in (file.text or ""))


def check(config: HostConfig, wish: ProxyConfig, facts: Facts) -> tuple[Issue, ...]:
    """What the operator should know.

    Args:
        wish: the proxy of `config` with the passwords that the host keeps.
    """
    return tuple(_issues(config, wish, facts))


def errors(draft: HostConfig, proxy: ProxyConfig, facts: Facts) -> tuple[Issue, ...]:
    """What is wrong with a proxy before it goes into this draft; warnings are for Review."""
    wanted = draft.model_copy(update={"proxy": proxy})
    return tuple(x for x in check(wanted, kept.completed(proxy, facts), facts) if x.severity == "error")


def _issues(config: HostConfig, wish: ProxyConfig, facts: Facts) -> Iterator[Issue]:
    for path in SHARED:
        if foreign(path, facts):
            text = f"{path} is a link or no plain text, so it is left as it is."
            yield Issue("P113", "warning", "proxy", text, "Look at it by hand: programs that read it do not get this.")
    if wish.method == "off":
        return
    yield from _logins(wish)
    if wish.secret:
        text = "Only root and the services listed under Restarts get the password; others reach the proxy without it."
        yield Issue("P111", "note", "proxy.http.password", text, "That is meant so: what all can read has no password.")
    if "docker" in facts.consumers and '"proxies"' in (facts.file(places.DOCKER).text or ""):
        text = f"{places.DOCKER} has proxies of its own, and Docker takes those."
        yield Issue("P114", "warning", "proxy", text, "Remove proxies from that file.")
    if "dnf" in facts.consumers and wish.upstreams[1] and _not_for_dnf(wish.upstreams[1].secret):
        text = "dnf cannot be told this password: it has a dollar sign, or a blank at an end."
        yield Issue("P115", "warning", "proxy.http.password", text, "Ask for another one, if this host uses dnf.")
    yield from _missing(config, wish, facts)
    values = Settings.of(wish).variables(bare=True, ipv6_networks=False)
    if len(values.get("no_proxy", "").encode()) > login.LONGEST:
        text = f"The exceptions have more than {login.LONGEST} characters; logins of older systems ignore such a line."
        yield Issue("P116", "warning", "proxy.exceptions", text, "Take away what a .domain or a network covers anyway.")


def _logins(wish: ProxyConfig) -> Iterator[Issue]:
    for name in ("http", "https"):
        upstream = getattr(wish, name)
        if upstream is not None and upstream.password is not None and upstream.password.get_secret_value():
            at = f"proxy.{name}.user"
            if not upstream.user:
                yield Issue("P108", "error", at, "There is a password but no user.", "Type the user, or empty both.")
        elif upstream is not None and upstream.user:
            text = f"No password is known for {upstream.user}."
            yield Issue("P109", "warning", f"proxy.{name}.password", text, "Type it, unless the proxy wants none.")


def _missing(config: HostConfig, wish: ProxyConfig, facts: Facts) -> Iterator[Issue]:
    """What would be sent to the proxy although it is next door or inside the cluster."""
    covered = [net for entry in wish.exceptions if (net := network(entry)) is not None]
    for proposal in proposed(facts, config):
        if "/" not in proposal.entry or proposal.reason == "this host itself":
            continue
        net = ip_network(proposal.entry)
        if not any(net.version == c.version and net.subnet_of(c) for c in covered):  # type: ignore[arg-type]  # same version
            text = f"{proposal.entry} ({proposal.reason}) is not among the exceptions."
            remedy = "Add it, or what is in it is asked for through the proxy."
            yield Issue("P112", "warning", "proxy.exceptions", text, remedy)


def _not_for_dnf(secret: str) -> bool:
    return "$" in secret or secret != secret.strip()
