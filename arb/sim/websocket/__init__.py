"""The exchange's WebSocket: commands, subscriptions with their sequence, and frames."""
