"""The practice host: its links, its peers, its power switch."""

from __future__ import annotations

from tests.practice import PracticeHost


def test_a_fresh_host_has_four_links_and_no_addresses(practice: PracticeHost) -> None:
    kernel = practice.kernel()
    assert [link["ifname"] for link in kernel.links] == ["lo", "lan0", "lan1", "lan2", "lan3"]
    assert {link["address"] for link in kernel.links[1:]} == {f"00:00:5e:00:53:1{n}" for n in range(4)}
    assert [name for name in ("lan0", "lan1", "lan2", "lan3") if kernel.addresses(name)] == []
    assert all("UP" in link["flags"] for link in kernel.links)
    assert [link["ifname"] for link in kernel.links if "NO-CARRIER" in link["flags"]] == ["lan2"]
