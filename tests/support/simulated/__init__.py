"""A real control plane without machines: etcd, API server, scheduler and controllers; nodes are only played."""
