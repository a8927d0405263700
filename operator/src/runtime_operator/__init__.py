"""The operator: turns RuntimeJob resources into runner pods, and what the runners say into the jobs' status."""
