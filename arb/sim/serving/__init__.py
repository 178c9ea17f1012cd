"""HTTP and WebSocket over any Trio stream, so that sockets and memory are served alike."""
