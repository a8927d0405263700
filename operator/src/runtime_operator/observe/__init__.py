"""From the cluster to values: snapshots that hold what decisions need, and the cache they are kept in."""
