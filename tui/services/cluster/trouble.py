"""What is wrong with a cluster, out of the short reasons of Kubernetes and of agents: a sentence and what can be done.

"NotReady" alone helps nobody: maintainers then ask for the same six commands. What is known of a reason stands in one
table here; what is not known is said in the agent's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.models.change import Issue, Severity
from tui.models.codes import TITLES


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong.

    Attributes:
        issue: for a person.
        event: reason and message as they were said, for the one who knows Kubernetes.
        since: seconds since the epoch; None where nobody says.
    """

    issue: Issue
    event: str = ""
    since: float | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """The words by which it is recognised, in reason or message; what it means, of `{who}`; what to do."""

    words: re.Pattern[str]
    code: str
    text: str
    remedy: str


def _known(words: str, code: str, text: str, remedy: str) -> _Known:
    return _Known(re.compile(words, re.IGNORECASE), code, text, remedy)


_TABLE = (
    _known(
        r"no space left|DiskPressure|ImageGCFailed|FreeDiskSpaceFailed|disk is full|EvictionThreshold.*disk", "K604",
        "{who}: the disk is full or nearly so.",
        "Delete content that is not used (Content), or have the disk enlarged; it goes on by itself then.",
    ),
    _known(
        r"certificate has expired|not yet valid|clock (is )?(off|skew|wrong)|ClockSkew|time.*(in the future|drift)",
        "K611", "{who}: a certificate does not hold at the time that its clock shows.",
        "Set the clock right (Name & time) on every host; then renew the certificates if they have ended.",
    ),
    _known(
        r"VIP.*(taken|in use|answer|conflict)|address.*already in use.*arp|duplicate address", "K613",
        "{who}: another machine has the address of the control plane.",
        "Switch that machine off, or delete the cluster and create it with a free address.",
    ),
    _known(
        r"ImagePull|ErrImage|ErrImageNeverPull|InvalidImageName|image.*(not (found|present)|missing)|manifest unknown"
        r"|pull access denied|ContentMissing", "K606",
        "{who}: an image is not on this host and cannot be fetched.",
        "Import the content bundle that belongs to the definition (Content names what is missing).",
    ),
    _known(
        r"NetworkPluginNotReady|cni (config|plugin).*(uninit|not)|network (is )?not ready|NetworkNotReady"
        r"|NetworkUnavailable|NoRouteCreated", "K602",
        "{who}: the network between pods is not up, so no pod can start.",
        "Wait two minutes after the node came up. Then look at the network pack: its image or its settings.",
    ),
    _known(
        r"sandbox|ContainerRuntime|container runtime.*(down|not)|containerd|PLEG|runtime is down", "K603",
        "{who}: it takes part, but its container runtime cannot start pods.",
        "Restart that host. If it says so again, send a support bundle: the runtime's settings are wrong.",
    ),
    _known(
        r"no leader|quorum|etcdserver|EtcdUnhealthy|etcd.*(unhealthy|timed? ?out|lost)", "K610",
        "{who}: the control planes cannot agree, for too few of them run; nothing can be changed until they do.",
        "Bring back the control plane that is away. One of two, or two of three, have to run.",
    ),
    _known(
        r"NodeStatusUnknown|stopped posting|NodeStatusNeverUpdated|KubeletStopped|node.*(unreachable|not responding)"
        r"|PeerUnreachable|NodeLost", "K601",
        "{who} does not report any more: it is off, or its network is cut.",
        "See whether it is on and its cable is in; Checks on its own console says the rest.",
    ),
    _known(
        r"MemoryPressure|OOMKill|out of memory|Insufficient memory|PIDPressure|HasInsufficientPID", "K605",
        "{who}: memory or processes are used up.",
        "Take away workloads, or add a node.",
    ),
    _known(
        r"FailedScheduling|Unschedulable|Insufficient cpu|nodes are available|taint.*tolerat", "K607",
        "{who}: no node has room for a pod, or none is allowed to take it.",
        "Add a worker, or let the control planes take workloads too.",
    ),
    _known(
        r"CrashLoop|BackOff|Back-off|Liveness|Unhealthy.*probe|ProbeFailed.*restart", "K608",
        "{who}: a program of the cluster starts and fails, again and again.",
        "Read its event; check the values of the definition that it is made from.",
    ),
    _known(
        r"FailedMount|FailedAttachVolume|ProvisioningFailed|PersistentVolumeClaim", "K609",
        "{who}: storage cannot be attached.",
        "See whether the storage that the definition names is there and answers.",
    ),
    _known(
        r"port.*(in use|already)|leftover|already exists.*(manifest|kubelet\.conf)|FileAvailable|DirAvailable|Port-\d+",
        "K618", "{who}: something of an earlier cluster is still there.",
        "Delete the cluster on that host again, or restart it and try once more.",
    ),
    _known(
        r"probe workload|WorkloadProbe|ProbeWorkload|service.*not reach", "K612",
        "{who}: pods run, but the trial service does not answer from every node.",
        "Wait six minutes; it mends itself where a control plane has just joined. Then restart that node.",
    ),
    _known(
        r"version (mismatch|differs|skew)|other version|VersionMismatch|unsupported version", "K614",
        "{who}: it has another version than the rest.",
        "Bring all hosts to one version of Onsite and of the content.",
    ),
    _known(
        r"connection refused|i/o timeout|context deadline exceeded|APIServer.*(unreachable|not)|no route to host",
        "K619",
        "{who}: the control plane does not answer.",
        "See whether the control planes are on, and whether their address can be reached (Checks).",
    ),
)  # fmt: skip


_CODED = re.compile(r"([A-Z][0-9]{3}): +(.+)")
"""What agents of ours say: the code of an issue, its text and what can be done."""


def coded(message: str) -> str:
    """The code that an agent of ours puts before its words; "" where there is none."""
    own = _CODED.match(message)
    return own[1] if own is not None and own[1] in TITLES else ""


def trouble(who: str, reason: str, message: str, since: float | None = None, *, warning: bool = False) -> Trouble:
    """What a reason and a message mean.

    Args:
        who: whose it is, at the beginning of a sentence: "Node edge-2", "Step Network"; "" where a coded message
            says so itself.
        warning: it is not right, but nothing stands still for it.
    """
    event = ": ".join(x for x in (reason, message) if x)
    if code := coded(message):
        words = message.partition(":")[2].strip()
        words = f"{who}: {words}" if who else words
        return Trouble(Issue(code, "warning" if warning else "error", "", words, ""), reason if who else "", since)
    severity: Severity = "warning" if warning else "error"
    known = next((k for k in _TABLE if k.words.search(event)), None)
    if known is not None:
        return Trouble(Issue(known.code, severity, "", known.text.format(who=who), known.remedy), event, since)
    if event:
        remedy = "The agent's own words are all there is; a support bundle (Log) holds the rest."
        return Trouble(Issue("K615", severity, "", f"{who}: {_sentence(message or reason)}", remedy), event, since)
    remedy = "Wait two minutes. Then look at the events, or send a support bundle (Log)."
    return Trouble(
        Issue("K616", severity, "", f"{who} is not right, and the agent does not say why.", remedy), "", since
    )


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."
