"""What the console draws, as urwid box widgets that turn view values into canvas."""
