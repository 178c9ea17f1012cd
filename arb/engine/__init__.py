"""The actors of the engine: thin shells that do I/O and ask the core what to do."""
