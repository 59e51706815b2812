"""Published versions: storage, consumer queries, and probes of output ports."""
