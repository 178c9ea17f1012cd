"""Fault injection: the whole engine under every fault, from a seed, and repeatable."""
