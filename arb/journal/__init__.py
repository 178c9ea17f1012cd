"""The journal: what was meant, before it was sent, and what came of it."""
