"""Clients that begin a request and send one byte of its head a second, as many as asked for, for as long as the input is
open; one that is sent away comes again.

Usage: slow_heads.py PORT CONNECTIONS. Says `open N` once all have begun, and at the end a line of JSON: how many were sent
away, how many of these with a 408, and how long the longest was let wait, in seconds."""

import json
import select
import socket
import sys
import time

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nX-Long: " + b"x" * 4096


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.sent, self.begun = 0, time.monotonic()

    def trickle(self):
        try:
            self.sent += self.socket.send(HEAD[self.sent:self.sent + 1])
        except OSError:
            pass  # its end is read about next


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
    clients = {}
    away = told = 0
    longest = 0.0

    def begin():
        client = Client(port)
        clients[client.socket.fileno()] = client
        poll.register(client.socket, select.POLLIN)
        client.trickle()

    for _ in range(count):
        begin()
    print(f"open {len(clients)}", flush=True)
    due = time.monotonic() + 1
    while True:
        for fd, _ in poll.poll(max(0, (due - time.monotonic()) * 1000)):
            if fd == sys.stdin.fileno():
                print(json.dumps({"away": away, "told": told, "longest_s": round(longest, 3)}))
                return
            client = clients.pop(fd)
            poll.unregister(fd)
            try:
                told += client.socket.recv(4096).startswith(b"HTTP/1.1 408")
            except OSError:
                pass
            client.socket.close()
            away += 1
            longest = max(longest, time.monotonic() - client.begun)
            begin()
        if time.monotonic() >= due:
            due += 1
            for client in clients.values():
                client.trickle()


if __name__ == "__main__":
    main()
