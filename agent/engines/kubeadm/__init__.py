"""kubeadm: the reference driver, proven on real clusters."""
