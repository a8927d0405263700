"""What the end-to-end tests share: the user's view of a cluster, and operators that can be started and killed."""
