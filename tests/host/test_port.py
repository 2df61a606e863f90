"""Neighbours that systemd-networkd has heard already are known before a switch speaks again."""

from __future__ import annotations

from tests.host.box import Box, wait_for

LOAD = """
from pathlib import Path
from tui.services.facts import rtnl
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.services.port import remembered
host = Host(Path("/"), NetlinkKernel())
for link in rtnl.links():
    for x in remembered.load(host, (link,)).get(link.index, ()):
        print(link.name, x.protocol, x.system, x.port, x.about_port, x.vlan, x.until > host.clock.boottime())
"""


def test_what_networkd_has_heard(box: Box) -> None:
    box.write("/etc/systemd/network/10-l.network", "[Match]\nName=lan0\n[Network]\nLinkLocalAddressing=no\nLLDP=yes\n")
    box.run("networkctl", "reload")
    try:
        wait_for("LLDP", lambda: box.run("python3", "-c", LOAD).stdout)
        said = box.run("python3", "-c", LOAD).stdout
    finally:
        box.run("sh", "-c", "rm /etc/systemd/network/*; networkctl reload")
    assert said == "lan0 LLDP switch.site.example Gi1/0/1 edge box, uplink 10 True\n"
