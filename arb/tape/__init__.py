"""Tapes: what the feeds sent, frame by frame, kept in a file and read again."""
