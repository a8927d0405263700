"""``python -m runtime_runner.schema``: the child of `bounded`."""

from runtime_runner.schema.child import main

main()
