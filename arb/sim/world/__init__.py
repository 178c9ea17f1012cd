"""Games whose true chance wanders, sportsbooks that follow it, and Kalshi traders that lag."""
