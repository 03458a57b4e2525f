# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that cuts connections after a number of bytes, with a reset or in order."""
import contextlib
import random
import socket
import struct
import threading


class CuttingProxy:
    """Passes to `to`; every connection is cut after a random number of bytes from the client."""

    def __init__(self, to, rng=None, low=0, high=200000):
        self.to, self.rng, self.low, self.high = to, rng or random.Random(1), low, high
        self.cuts, self.is_cutting, self.is_stopping = 0, True, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.is_stopping:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                if self.is_stopping:
                    return
                client.close()
                continue
            self.open |= {client, server}
            limit = self.rng.randint(self.low, self.high) if self.is_cutting else None
            threading.Thread(target=self.pump, args=(client, server, limit), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, None), daemon=True).start()

    def pump(self, source, sink, limit):
        try:
            while True:
                data = source.recv(65536 if limit is None else max(1, min(65536, limit)))
                if not data:
                    break
                sink.sendall(data)
                if limit is not None:
                    limit -= len(data)
                    if limit <= 0 and self.is_cutting:
                        self.cuts += 1
                        if self.rng.random() < 0.5:
                            source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        break
                    if limit <= 0:
                        limit = None
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR) if s is sink else s.close()
            except OSError:
                pass

    def close(self):
        self.is_stopping = True
        self.listener.close()
        for s in self.open:
            s.close()


class ForgetfulProxy(CuttingProxy):
    """Passes all, until it forgets the connections there are: nobody hears of them again, and new ones pass."""

    def __init__(self, to):
        self.age, self.swallowed = 0, 0
        super().__init__(to)
        self.is_cutting = False

    def forget(self):
        self.age += 1

    def pump(self, source, sink, limit):
        age = self.age
        try:
            while True:
                data = source.recv(65536)
                if age == self.age and data:
                    sink.sendall(data)
                elif age != self.age:
                    self.swallowed += len(data)
                if not data:
                    break
        except OSError:
            pass
        if age == self.age:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
