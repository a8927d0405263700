"""What tests share: a cluster in memory, builders of objects, and time that the test moves."""
