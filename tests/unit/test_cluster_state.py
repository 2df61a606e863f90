"""What the answers of an agent, ours or another one's, become for a person: steps, standing, reasons, lists."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.models import codes
from tui.services.cluster import events, members
from tui.services.cluster.answers import plain, seconds
from tui.services.cluster.standing import NONE, standing
from tui.services.cluster.steps import Step, steps
from tui.services.cluster.trouble import trouble
from tui.services.cluster.words import spell

NOON = 1769860800.0


def at(offset: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(NOON + offset, UTC).isoformat().replace("+00:00", "Z")


def event(kind: str, status: str, offset: float, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at(offset)}


ORDER = [
    {"category": "cluster", "order": 2, "conditionsOrder": [
        {"type": "Ready", "typeLabel": "Cluster answers", "order": 2},
        {"type": "Init", "typeLabel": "First control plane", "order": 1},
    ]},
    {"category": "edgehost", "order": 1, "conditionsOrder": [
        {"type": "Images", "typeLabel": "Images", "reason": "Unpacked", "reasonLabel": "Unpack the images", "order": 1},
        {"type": "Images", "typeLabel": "Images", "reason": "Imported", "reasonLabel": "Import the images", "order": 2},
    ]},
]  # fmt: skip


def brief(found: tuple[Step, ...]) -> list[tuple[str, str, float | None]]:
    return [(s.label, s.mark, s.spent) for s in found]


def test_steps_are_in_the_agents_order_with_time_spent() -> None:
    lifecycle = {
        "expectedOrder": ORDER,
        "edgeHostEvents": [
            event("Images", "True", -300, "Unpacked"),
            event("Images", "True", -200, "Imported"),
        ],
        "clusterEvents": [event("Init", "False", -60, "Starting", "waits for etcd")],
    }
    found = steps(lifecycle, NOON, {"Init": 50.0})
    assert brief(found) == [
        ("Unpack the images", "ok", None),
        ("Import the images", "ok", 100.0),
        ("First control plane", "..", 60.0),
        ("Cluster answers", "", None),
    ]
    assert found[2].expected == 50.0
    assert found[2].message == "waits for etcd"


def test_a_step_that_told_its_beginning_is_timed_from_there() -> None:
    begun, ended = event("Init", "Unknown", -90, "InProgress"), event("Init", "True", -30, "Completed")
    lifecycle = {"expectedOrder": ORDER, "edgeHostEvents": [event("Images", "True", -200, "Imported")]}
    found = steps({**lifecycle, "clusterEvents": [begun, ended]}, NOON)
    assert (found[2].mark, found[2].spent) == ("ok", 60.0)


def test_a_code_that_the_agent_names_is_the_code_that_is_shown() -> None:
    found = trouble("Step", "Failed", "N104: 010.0.0.1 begins with a zero. Type 10.0.0.1.")
    assert (found.issue.code, found.issue.text) == ("N104", "Step: 010.0.0.1 begins with a zero. Type 10.0.0.1.")


def test_a_later_reason_of_a_type_says_that_the_earlier_is_over() -> None:
    lifecycle = {"expectedOrder": ORDER, "edgeHostEvents": [event("Images", "Unknown", -20, "Imported")]}
    assert brief(steps(lifecycle, NOON))[:2] == [("Unpack the images", "ok", None), ("Import the images", "..", 20.0)]


def test_what_a_step_gets_over_is_a_warning_as_long_as_it_lasts() -> None:
    away = event("prepare-n2", "Unknown", -20, "Note", "K125: n2 is away; it is waited for.")
    plain_words = event("join-n3", "Unknown", -20, "Note", "half of the images are there")
    found = steps({"expectedOrder": ORDER, "clusterEvents": [away, plain_words]}, NOON)[4:]
    assert [(s.key, s.mark, s.trouble and s.trouble.issue.code) for s in found] == [("prepare-n2", "!", "K125")]
    trouble_ = found[0].trouble
    assert trouble_ is not None
    assert (trouble_.issue.text, trouble_.event) == ("n2 is away; it is waited for.", "")
    now = standing({"status": {"clusterState": "Provisioning"}}, steps=found)
    assert (now.mark, now.first and now.first.issue.severity) == ("..", "warning")
    ending = standing({"status": {"clusterState": "Deleting"}}, steps=found)
    assert (ending.mark, ending.first and ending.first.issue.code) == ("..", "K125")
    back = event("prepare-n2", "Unknown", -10, "InProgress", "")
    assert steps({"expectedOrder": ORDER, "clusterEvents": [away, back]}, NOON)[4:] == ()


def test_a_change_of_a_running_cluster_that_failed_is_said() -> None:
    failed = event("Init", "False", -20, "Failed", "K204: n4: This host cannot start pods.")
    others = event("Init", "False", -20, "Failed", "timed out")
    for told, code in ((failed, "K204"), (others, "")):
        found = steps({"expectedOrder": ORDER, "clusterEvents": [told]}, NOON)
        first = standing({"status": {"clusterState": "Running"}}, steps=found).first
        assert (first.issue.code if first else "") == code


def test_the_step_after_the_last_done_one_is_under_way() -> None:
    lifecycle = {"expectedOrder": ORDER, "edgeHostEvents": [event("Images", "True", -9, "Imported")]}
    found = steps(lifecycle, NOON)
    assert [s.mark for s in found] == ["ok", "ok", "..", ""]
    assert found[2].spent == 9.0


def test_a_step_that_takes_far_longer_than_before_is_late() -> None:
    lifecycle = {"expectedOrder": ORDER, "clusterEvents": [event("Init", "Unknown", -300)]}
    assert steps(lifecycle, NOON, {"Init": 30.0})[2].mark == "!"
    assert steps(lifecycle, NOON, {"Init": 200.0})[2].mark == ".."


def test_a_failure_that_is_in_no_order_is_shown() -> None:
    lifecycle = {"expectedOrder": [], "edgeHostEvents": [event("DiskCheck", "False", -5, "Failed", "no space left")]}
    (found,) = steps(lifecycle, NOON)
    assert (found.label, found.mark) == ("Disk check", "x")
    assert found.trouble is not None
    assert found.trouble.issue.code == "K604"


REASONS = {
    "K601": ("NodeStatusUnknown", "Kubelet stopped posting node status."),
    "K602": ("KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"),
    "K603": ("FailedCreatePodSandBox", "failed to create pod sandbox: rpc error"),
    "K604": ("KubeletHasDiskPressure", "kubelet has disk pressure, no space left on device"),
    "K605": ("KubeletHasInsufficientMemory", "MemoryPressure"),
    "K606": ("ErrImagePull", 'failed to pull image "x"'),
    "K607": ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu."),
    "K608": ("BackOff", "Back-off restarting failed container"),
    "K609": ("FailedMount", "Unable to attach or mount volumes"),
    "K610": ("EtcdUnhealthy", "etcdserver: no leader"),
    "K611": ("", "x509: certificate has expired or is not yet valid"),
    "K613": ("VIPTaken", "the VIP 192.0.2.100 is taken by 00:00:5e:00:53:77"),
    "K618": ("Failed", "Port 6443 is in use"),
    "K619": ("", "dial tcp 192.0.2.100:6443: connect: connection refused"),
}


@pytest.mark.parametrize("code", REASONS)
def test_reasons_have_a_sentence_and_a_remedy(code: str) -> None:
    reason, message = REASONS[code]
    found = trouble("Node n2", reason, message)
    assert found.issue.code == code
    assert found.issue.text.startswith("Node n2")
    assert found.issue.remedy
    assert found.event == ": ".join(x for x in (reason, message) if x)


def node(name: str, ready: str, reason: str = "", message: str = "", **more: str) -> dict[str, Any]:
    health = [{"conditionType": kind, "status": "True", "reason": kind} for kind in more]
    status = {"conditionType": "Ready", "status": ready, "reason": reason, "message": message}
    return {"nodeName": name, "nodeStatus": status, "nodeHealth": health}


DETAILS = {
    "metadata": {"name": "shop"},
    "spec": {"vip": "192.0.2.100"},
    "status": {"clusterState": "Running", "health": {"status": "Healthy"}, "k8sVersion": "v1.20.2"},
}


def test_a_healthy_cluster() -> None:
    found = standing(DETAILS, members.nodes({"nodes": [node("n1", "True"), node("n2", "True")]}, DETAILS))
    assert (found.mark, found.word, found.ready, found.nodes, found.first) == ("ok", "healthy", 2, 2, None)


def test_no_cluster() -> None:
    assert standing(None) == NONE
    assert not NONE.exists


def test_a_node_that_is_not_ready_says_why() -> None:
    nodes = members.nodes({"nodes": [node("n1", "True"), node("n2", "False", *REASONS["K602"])]}, DETAILS)
    found = standing(DETAILS, nodes)
    assert found.mark == "x"
    assert found.first is not None
    assert found.first.issue.code == "K602"
    assert "NotReady" not in found.first.issue.text
    assert (found.ready, found.nodes) == (1, 2)


def test_a_node_without_any_reason_is_never_just_not_ready() -> None:
    (found,) = members.nodes({"nodes": [node("n1", "False")]})
    assert [t.issue.code for t in found.wrong] == ["K616"]


def test_pressure_on_a_ready_node_is_a_warning() -> None:
    (found,) = members.nodes({"nodes": [node("n1", "True", DiskPressure="True")]})
    assert (found.mark, found.wrong[0].issue.code, found.wrong[0].issue.severity) == ("!", "K604", "warning")
    assert standing(DETAILS, (found,)).word == "needs a look"


def test_an_unhealthy_cluster_without_reason_still_says_something() -> None:
    details = {**DETAILS, "status": {"clusterState": "Running", "health": {"status": "Unhealthy"}}}
    found = standing(details)
    assert found.mark == "x"
    assert found.first is not None
    assert found.first.issue.code == "K616"


def test_while_it_is_made_only_failures_are_wrong() -> None:
    details = {"metadata": {"name": "shop"}, "status": {"clusterState": "Provisioning"}}
    lifecycle = {"expectedOrder": ORDER, "clusterEvents": [event("Init", "False", -60, "InitFailed", "etcdserver: x")]}
    found = standing(details, steps=steps(lifecycle, NOON))
    assert (found.mark, found.word) == ("x", "stuck")
    assert found.first is not None
    assert found.first.issue.code == "K610"
    assert standing(details, steps=steps({"expectedOrder": ORDER}, NOON)).word == "being made"


def test_packs_say_what_is_missing_by_name() -> None:
    contents = [{"name": "a:1", "syncStatus": "Completed"}, {"name": "b:2", "syncStatus": "Failed", "syncMsg": "gone"}]
    answer = {"clusterProfileTemplates": [{"name": "base", "packs": [
        {"name": "cni", "status": "Error", "contents": contents}, {"name": "csi", "status": "Ready"}]}]}  # fmt: skip
    bad, good = members.packs(answer)
    assert (bad.mark, bad.synced, bad.contents) == ("x", 1, 2)
    assert bad.wrong is not None
    assert "b:2" in bad.wrong.event
    assert (good.mark, good.wrong) == ("ok", None)


def test_certificates_that_end_first_are_on_top() -> None:
    answer = {"certificates": [{"name": "ca", "expirationDate": at(9e7), "childCerts": [
        {"name": "apiserver", "nodeName": "n1", "expirationDate": at(9e5)}]}]}  # fmt: skip
    assert [c.name for c in members.certificates(answer).found] == ["apiserver", "ca"]


def test_a_certificate_that_ends_soon_is_said_unless_it_is_renewed_before() -> None:
    def said(ends: float, renewal: float | None = None) -> str:
        one = members.Certificate("apiserver", "edge-1", "", "", NOON + ends)
        renews = "" if renewal is None else at(renewal)
        found = members.ending(members.Certificates((one,), renews_itself=renews), now=NOON)
        return "" if found is None else f"{found.issue.severity} {found.issue.code} {found.issue.text}"

    day = 86400.0
    assert said(20 * day) == "warning K305 The certificate apiserver of edge-1 ends in 20 days."
    assert said(-day) == "error K305 The certificate apiserver of edge-1 has ended."
    assert said(31 * day) == ""
    assert said(20 * day, renewal=10 * day) == ""
    assert said(20 * day, renewal=25 * day) != ""
    assert said(20 * day, renewal=-10 * day) != "", "it should have been renewed by now"


def test_an_agent_of_ours_names_the_code_as_the_kind_of_a_condition() -> None:
    text = "The certificate apiserver ends in 12 days. Renew the certificates."
    condition = {"type": "K305", "status": "False", "reason": "warning", "message": text}
    found = standing({"status": {"clusterState": "Running", "clusterConditions": [condition]}})
    assert [(t.issue.code, t.issue.severity, t.issue.text) for t in found.wrong] == [("K305", "warning", text)]
    other = members.Certificate("apiserver", "", "", "", 86400.0)
    again = standing(
        {"status": {"clusterState": "Running", "clusterConditions": [condition]}},
        ending=members.ending(members.Certificates((other,)), now=0.0),
    )
    assert again.wrong == found.wrong, "it is said once"


def many(count: int) -> events.Events:
    return listed([
        {"severity": "Warning" if n % 7 == 0 else "Normal", "reason": "Pulled", "message": f"image {n}",
         "involvedObject": {"kind": "Pod", "name": f"p{n}"}, "metadata": {"creationTimestamp": at(n)}}
        for n in range(count)
    ])  # fmt: skip


def listed(items: object) -> events.Events:
    """What is no number in JSON (NaN, Infinity) is null."""
    said = json.loads(json.dumps({"items": items}), parse_constant=lambda _: None)
    return events.listed(json.dumps(said).encode())


def test_events_newest_first_filtered_by_words() -> None:
    shown, count = events.newest(many(1000))
    assert (len(shown), count) == (events.SHOWN, 1000)
    assert shown[0].message == "image 999"
    shown, count = events.newest(many(1000), "warning image 7")
    assert count == len(shown)
    assert all(e.mark == "!" and "7" in e.message for e in shown)


@pytest.mark.parametrize("said", [b"", b"{}", b"[]", b'{"items": 7}', b'{"items": [{}', b'{"items": [1]} x'])
def test_what_is_no_list_of_events_is_refused(said: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        events.listed(said)


@given(st.lists(st.deferred(lambda: ANYTHING), max_size=5), st.text(max_size=5))
def test_events_of_any_shape_are_shown(items: list[Any], words: str) -> None:
    assert events.newest(listed(items))[1] == len(items)
    events.newest(listed(items), words)


def test_an_event_whose_text_is_damaged_is_shown_without_it() -> None:
    shown, count = events.newest(events.listed(b'{"items": [{"message": "\xff"}, {"message": "good"}]}'))
    assert (sorted(e.message for e in shown), count) == (["", "good"], 2)


@pytest.mark.parametrize(
    ("duration", "words"),
    [(0, "0 s"), (19, "19 s"), (47, "40 s"), (150, "2 min 30 s"), (301, "5 min"), (4000, "1 h 06 min"), (None, "")],
)
def test_spell(duration: float | None, words: str) -> None:
    assert spell(duration) == words


NAMES = (
    "status", "type", "reason", "message", "nodes", "nodeName", "nodeStatus", "nodeHealth", "conditionType", "health",
    "metadata", "spec", "items", "clusterState", "expectedOrder", "conditionsOrder", "order", "clusterEvents",
    "edgeHostEvents", "lastTransitionTime", "pool", "nodePools", "contents", "packs", "clusterProfileTemplates",
    "certificates", "childCerts", "expirationDate", "hosts", "ports",
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            NAMES
        ),
        inner, max_size=5,
    ),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_an_agent_answers_is_survived(details: Any, others: Any, lifecycle: Any) -> None:
    found = standing(details, members.nodes(others, details), members.packs(others), steps(lifecycle, NOON))
    for wrong in found.wrong:
        assert wrong.issue.code in codes.TITLES
        assert wrong.issue.text.isprintable()
    members.pools(others)
    members.services(details)
    members.certificates(others)


@given(st.text())
def test_plain_is_one_line(words: str) -> None:
    assert plain(words) == "" or plain(words).isprintable()
    seconds(words)
