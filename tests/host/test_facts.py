"""What `onsite` reads of a host with systemd-networkd, and what reading costs."""

from __future__ import annotations

import json

from tests.host.box import Box, wait_for


def test_owners_and_no_process_to_find_them(box: Box) -> None:
    """The console reads after every burst of events: starting networkctl or nmcli each time would be felt."""
    box.write("/etc/systemd/network/10-other.network", "[Match]\nName=lan0\n[Network]\nDHCP=ipv4\n")
    box.write("/etc/systemd/network/01-early.network", "[Match]\nName=lan1\n[Network]\nAddress=198.51.100.9/24\n")
    box.run("networkctl", "reload")
    try:
        wait_for("a lease", lambda: box.kernel().gateways("lan0"))
        wait_for("lan1 configured", lambda: box.networkctl("lan1")["AdministrativeState"] == "configured")
        trace = ["strace", "-f", "-qq", "-e", "signal=none", "-e", "trace=execve", "-o", "/root/execs"]
        facts = json.loads(box.run(*trace, "python3", "-m", "tui", "facts", "--json").stdout)
        started = (box.root / "root/execs").read_text().splitlines()
    finally:
        box.run("sh", "-c", "rm /etc/systemd/network/*; networkctl reload; ip addr flush lan1")
    assert len(started) == 1, started
    links = {link["name"]: link for link in facts["links"]}
    assert links["lan0"]["owner"]["config"] == "/etc/systemd/network/10-other.network"
    assert (links["lan0"]["method4"], links["lan0"]["origin"]) == ("dhcp", "other")
    assert links["lan0"]["lease"]["server"] == "192.0.2.1"
    assert links["lan0"]["nameservers"] == ["192.0.2.1"]
    assert [a["origin"] for a in links["lan0"]["addresses"] if ":" not in a["address"]] == ["dhcp"]
    assert not links["lan1"]["owner"]["writable"]
    assert "01-early.network" in links["lan1"]["owner"]["reason"]
    assert links["lan2"]["owner"]["backend"] == "networkd"
    assert links["lan2"]["owner"]["writable"]
    assert facts["managers"] == ["networkd"]
