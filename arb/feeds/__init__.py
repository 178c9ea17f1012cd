"""Sportsbook odds: what every provider looks like from inside, and one module for each."""
