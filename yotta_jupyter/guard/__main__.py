"""``python -m yotta_jupyter.guard`` is the local enforcer. The package starts it by itself."""

from .enforcer import main

main()
