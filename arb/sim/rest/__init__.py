"""The exchange's REST interface: bodies and handlers, byte for byte as recorded."""
