"""The simulated world that judges the engine; it shares no trading code with it."""
