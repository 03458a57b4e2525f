# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy that knows CONNECT alone, with basic authentication, refusals, and silence."""
import base64
import contextlib
import socket
import ssl
import threading


class ConnectProxy:
    """mode: pass, refuse (403), unreachable (502), hang, close, garbage. user: "name:password"."""

    def __init__(self, user=None, tls=None, family=socket.AF_INET):
        self.mode, self.user, self.tls = "pass", user, None
        self.heads = []  # of what was asked, as it came
        self.through = 0  # connections that were made
        self.open = set()
        self.lock = threading.Lock()
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self.listener = socket.create_server((host, 0), family=family)
        self.port = self.listener.getsockname()[1]
        place = "[::1]" if family == socket.AF_INET6 else "127.0.0.1"
        self.url = "%s://%s:%d" % ("https" if tls else "http", place, self.port)
        self.is_closed = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.is_closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def keep(self, *sockets):
        with self.lock:
            self.open |= set(sockets)

    def drop(self, *sockets):
        with self.lock:
            self.open -= set(sockets)
        for s in sockets:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def serve(self, client):
        self.keep(client)
        server = None
        try:
            if self.tls:
                plain, client = client, self.tls.wrap_socket(client, server_side=True)
                self.drop(plain)
                self.keep(client)
            server = self.connect(client)
        except (OSError, ValueError):
            pass
        if server is None:
            self.drop(client)
            return
        self.keep(server)
        back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
        back.start()
        self.pump(client, server)
        back.join()
        self.drop(client, server)

    def connect(self, client):
        """Answers CONNECT; the connection to go on with, or None."""
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                more = client.recv(1)
                if not more:
                    return None
                head += more
            text = head.decode("latin-1")
            self.heads.append(text)
            method, target, _ = text.split("\r\n")[0].split(" ")
            if self.mode == "hang":
                while client.recv(4096):
                    pass
                return None
            if self.mode == "close":
                return None
            if self.mode == "garbage":
                client.sendall(b"220 mail.example ESMTP\r\n")
                return None
            status = self.judge(method, text)
            if status != "200 OK":
                more = "Proxy-Authenticate: Basic realm=\"test\"\r\n" if status[:3] == "407" else ""
                client.sendall(("HTTP/1.1 %s\r\n%sContent-Length: 0\r\n\r\n" % (status, more)).encode())
                continue
            host, port = target.rsplit(":", 1)
            server = socket.create_connection((host.strip("[]"), int(port)), timeout=10)
            server.settimeout(None)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.through += 1
            return server

    def judge(self, method, text):
        if method != "CONNECT":
            return "405 Method not allowed"
        if self.user:
            wanted = "Proxy-Authorization: Basic " + base64.b64encode(self.user.encode()).decode()
            if wanted.lower() not in [line.lower() for line in text.split("\r\n")]:
                return "407 Proxy Authentication Required"
        return {"refuse": "403 Forbidden", "unreachable": "502 Bad Gateway"}.get(self.mode, "200 OK")

    @staticmethod
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        """Ends all connections."""
        with self.lock:
            now, self.open = self.open, set()
        self.drop(*now)

    def close(self):
        self.is_closed = True
        self.listener.close()
        self.cut()
