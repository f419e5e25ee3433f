"""Guards that pause forgotten pods, and the ledger of costs."""
