"""The practice host: a sandbox folder, network namespaces and peers that speak real protocols.

    python -m agent.practice --state DIR            start it, or attach to it; prints its state as JSON
    python -m agent.practice --state DIR --reboot   what a power cut and the boot after it would do
    python -m agent.practice --state DIR --stop     end it and everything it holds

Processes: the holder (user namespace, control socket), the host (network, mount and UTS namespace; consoles enter
here), the peers (the other ends of the cables) and the embedded agent.
"""
