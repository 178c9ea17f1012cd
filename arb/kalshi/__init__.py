"""The exchange: its bytes as values, its signatures, its answers, and the way an order takes."""
