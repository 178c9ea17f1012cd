"""A server of a few lines to send orders to: answers every request at once, over TLS.

Runs as a program of its own, so that it shares no interpreter with what is measured: give it a
PEM file with key and certificate; it prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events

BODY = b'{"order_id":"x","client_order_id":"y","fill_count":"0.00","remaining_count":"0.00"}'
ANSWER = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(BODY)
) + BODY
READ_BYTES = 65_536


def main(pem: str) -> None:
    """Serve until standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2", "http/1.1"])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener, context), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        plain, _ = listener.accept()
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(plain, context), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
        if connection.selected_alpn_protocol() == "h2":
            _serve_http2(connection)
            return
        while _request(connection):
            connection.sendall(ANSWER)


def _serve_http2(connection: ssl.SSLSocket) -> None:
    config = h2.config.H2Configuration(client_side=False)
    protocol = h2.connection.H2Connection(config=config)
    protocol.initiate_connection()
    connection.sendall(protocol.data_to_send())
    while data := connection.recv(READ_BYTES):
        for event in protocol.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                protocol.acknowledge_received_data(
                    event.flow_controlled_length or 0, event.stream_id or 0
                )
            elif isinstance(event, h2.events.StreamEnded):
                headers = [(":status", "201"), ("content-type", "application/json")]
                protocol.send_headers(event.stream_id or 0, headers)
                protocol.send_data(event.stream_id or 0, BODY, end_stream=True)
        connection.sendall(protocol.data_to_send())


def _request(connection: ssl.SSLSocket) -> bool:
    """Read one whole request; False when there is none any more."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(READ_BYTES)
        if not more:
            return False
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            left = int(line.partition(b":")[2]) - len(body)
            while left > 0:
                left -= len(connection.recv(READ_BYTES))
    return True


if __name__ == "__main__":
    main(sys.argv[1])
