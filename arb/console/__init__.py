"""The console: a process of its own that shows and steers an engine over its control socket."""
