"""An odds provider in the manner of odds-api.io: REST, and a WebSocket of changes only."""
