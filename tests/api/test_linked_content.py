"""Content of the leader comes over to a follower: whole, resumed, checked, and refused where it is not right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from agent.links import routes, serving, sync, wire
from agent.links.links import Links
from tests import archives
from tests.api.test_links import code_linked, describe, until
from tui.models.change import Refused
from tui.models.content import Item, Member
from tui.services.content import copying, importing, signing, store
from tui.services.content.stream import in_process
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[tuple[Links, Links]]:
    """A leader that has a bundle, and a follower that has none."""
    async with AsyncExitStack() as stack:
        found = []
        for name in ("n1", "n2"):
            links = Links(Host(folder / name, NetlinkKernel(), "user"), partial(describe, name), port=0)
            links.synced = sync.Sync(links.host, links.own)
            await links.start(serving.build(links, *sync.ROUTES))
            stack.push_async_callback(links.stop)
            found.append(links)
        laid(found[0].host, folder)
        yield found[0], found[1]


def laid(host: Host, folder: Path) -> Item:
    path = folder / "bundle.tar.zst"
    path.write_bytes(archives.good())
    with importing.plain_file(path) as source:
        return importing.imported(host, source, name=path.name, opener=in_process)


def same(one: Host, other: Host) -> bool:
    """Both have the same items, with the same bytes in every part."""
    digests = [item.digest for item in store.items(one)]
    if digests != [item.digest for item in store.items(other)]:
        return False
    return all(store.verified(other, digest) for digest in digests)


async def test_what_the_leader_has_comes_over(tmp_path: Path) -> None:
    async with two(tmp_path) as (leader, follower):
        await code_linked(leader, follower)
        await until(lambda: bool(store.items(follower.host)))
        assert follower.synced is not None
        await until(lambda: follower.synced is not None and follower.synced.state == "Synced")
        assert same(leader.host, follower.host)


async def test_a_follower_that_has_said_nothing_of_content_is_waited_for(tmp_path: Path) -> None:
    async with two(tmp_path) as (leader, follower):
        follower.synced = None
        await code_linked(leader, follower)
        for digests, said in (({"d" * 64}, "Pending"), (set[str](), "")):
            assert [routes._peer(leader, p, frozenset(digests)).content_sync_status for p in leader.peers.all] == [said]


async def test_a_part_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    async with two(tmp_path) as (leader, follower):
        digest = store.items(leader.host)[0].digest
        raw = (store.folder(leader.host) / "items" / digest / "manifest.json").read_bytes()
        asked: list[tuple[str, int]] = []

        async def fetch(member: Member, offset: int) -> AsyncIterator[bytes]:
            asked.append((member.path, offset))
            data = (store.tree(leader.host, digest) / member.path).read_bytes()
            if len(asked) == 1:
                yield data[: len(data) // 2]
                raise httpx.ReadError("the cable is out")
            yield data[offset:]

        with pytest.raises(httpx.ReadError):
            await copying.copied(follower.host, raw, b"", fetch, lambda _: None)
        assert store.items(follower.host) == ()
        await copying.copied(follower.host, raw, b"", fetch, lambda _: None)
        assert asked[1] == (asked[0][0], (store.tree(leader.host, digest) / asked[0][0]).stat().st_size // 2)
        assert same(leader.host, follower.host)


async def test_other_bytes_are_not_taken(tmp_path: Path) -> None:
    async with two(tmp_path) as (leader, follower):
        digest = store.items(leader.host)[0].digest
        raw = (store.folder(leader.host) / "items" / digest / "manifest.json").read_bytes()

        async def fetch(member: Member, offset: int) -> AsyncIterator[bytes]:
            yield b"x" * (member.size - offset)

        with pytest.raises(Refused) as refused:
            await copying.copied(follower.host, raw, b"", fetch, lambda _: None)
        assert refused.value.issues[0].code == "B107"

        async def too_much(member: Member, offset: int) -> AsyncIterator[bytes]:
            while True:
                yield b"x" * (1 << 20)

        with pytest.raises(Refused):
            await copying.copied(follower.host, raw, b"", too_much, lambda _: None)
        assert store.items(follower.host) == ()


async def test_unsigned_content_is_refused_where_a_key_is_set(tmp_path: Path) -> None:
    async with two(tmp_path) as (leader, follower):
        key = follower.host.path(signing.KEY)
        key.parent.mkdir(parents=True)
        public = ed25519.Ed25519PrivateKey.generate().public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        key.write_bytes(public.public_bytes(serialization.Encoding.PEM, form))
        await code_linked(leader, follower)
        await until(lambda: follower.synced is not None and follower.synced.state.startswith("B11"))
        assert store.items(follower.host) == ()


async def test_strangers_get_nothing(tmp_path: Path) -> None:
    async with two(tmp_path) as (leader, follower):
        await code_linked(leader, follower)
        digest = store.items(leader.host)[0].digest
        async with wire.client(None, "127.0.0.1", leader.port, leader.own.pem) as client:
            for path in ("", f"/{digest}", f"/{digest}/{'0' * 64}"):
                assert (await client.get(f"/v1/onsite/peer/content{path}")).status_code == 403
        async with wire.client(follower.own, "127.0.0.1", leader.port, leader.own.pem) as client:
            for path in ("/..", f"/{'0' * 64}", f"/{digest}/{'0' * 64}", f"/{digest}/..%2f..%2fmanifest.json"):
                assert (await client.get(f"/v1/onsite/peer/content{path}")).status_code == 404
