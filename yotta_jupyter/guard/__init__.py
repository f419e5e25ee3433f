"""Guards that pause forgotten pods, and the ledger of costs.

Ledger
    Each `Client` subscribes its `Ledger` to the listings of its `PodsClient`. A short-lived thread writes them into
    ``ledger.db``, so that no listing waits for it; a database that fails makes `Client.costs` fail and nothing else.
    `Client.costs` computes costs from the spans of `spans`.

Guards
    A `Guard` is a rule (after, budget, idle) with the state that its enforcer keeps, a row of ``guards.db``. `rules`
    decides with pure functions: a guard is armed when its pod begins to run, reset when the pod is paused, and due when
    a limit is reached. `GuardChecker` applies them to the pods of one account. `GuardCache` keeps the guards in memory,
    so that they stay in force without the database.

Local enforcer
    One process per user, started with the first guard and ended with the last. It holds a lock file, which the system
    releases when the process ends, and serves a Unix socket, through which notebooks send API keys. Each ``%yotta``
    starts it again if it does not run, and says how long guards were not enforced.

Time
    `Clock` counts seconds, also while the machine sleeps, and ignores changes of the wall clock. Limits are times of
    this clock.

On the pod
    `probe` reads the signals of activity and `watchdog` enforces a limit there. Both are sent over SSH and run with the
    pod's own Python.
"""
