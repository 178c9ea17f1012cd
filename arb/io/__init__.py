"""The outside world behind small seams: clocks, connections, HTTP and WebSocket clients."""
