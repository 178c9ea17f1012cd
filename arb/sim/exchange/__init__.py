"""A matching engine on integers: books, accounts, fees, orders and the life of a market."""
