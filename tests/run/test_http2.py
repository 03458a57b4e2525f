# SPDX-License-Identifier: Apache-2.0
"""HTTP/2, gzip and connections that are used again: a real nghttpx in front of fake-graph."""
import collections
import shutil
import signal
import sys
import types
import unittest

import harness
from scene import Scene
from test_receivers import FileRows

ROW = collections.namedtuple("Row", "alpn tls port method status bytes encoding path")
FORMAT = "$alpn $tls_protocol $remote_port $method $status $body_bytes_sent $http_accept_encoding $path"


class Nghttpx:
    """TLS and HTTP/2 to the outside, HTTP/1.1 to fake-graph; its access log is the witness."""

    def __init__(self, run, pki, port, backend):
        self.run, self.pki, self.port, self.backend = run, pki, port, backend
        self.start()

    def start(self):
        conf = self.run.write("nghttpx/conf", "")
        self.child = self.run.start(
            [shutil.which("nghttpx"), "--conf=" + conf, "--workers=1", "--no-ocsp",
             "--frontend=127.0.0.1,%d" % self.port, "--backend=127.0.0.1,%d" % self.backend,
             "--accesslog-file=" + self.run.path("nghttpx/access"), "--accesslog-format=" + FORMAT,
             "--errorlog-file=" + self.run.path("nghttpx/log"), self.pki("server.key"), self.pki("server.crt")],
            log="nghttpx/log")
        harness.wait_for("nghttpx listens", 20, lambda: harness.is_open(self.port) or self.child.poll())
        assert self.child.poll() is None, self.run.read("nghttpx/log")

    def end(self, how):
        self.child.send_signal(how)
        self.child.wait(20)

    def rows(self):
        lines = self.run.read("nghttpx/access").splitlines()
        return [ROW(*line.split(" ", 7)) for line in lines]


class Http2(Scene):
    tenants = 8

    def scene(self, *options):
        pki = harness.Pki(self.run_)
        port = harness.free_port()
        url = "https://localhost:%d" % port
        self.graph = harness.FakeGraph(self.run_, "--tenants", self.tenants, "--alerts", 250, "--rate", 4,
                                       "--public-url", url, *options)
        self.front = Nghttpx(self.run_, pki, port, self.graph.port)
        outside = types.SimpleNamespace(url=url, secret_file=self.graph.secret_file)
        self.raw, self.out = self.run_.path("out.raw"), self.run_.path("out.cef")
        text = harness.config(outside, harness.tenants(self.tenants), {
            "out": {"type": "file", "path": self.out, "format": "cef"},
            "raw": {"type": "file", "path": self.raw, "format": "raw"}})
        text = text.replace('"login_url"', '"ca_file": "%s", "login_url"' % pki("ca.crt"))
        self.msspd = harness.Msspd(self.run_, text).start()
        self.mark_up()

    def wait_for_requests(self, n):
        harness.wait_for("%d requests" % n, 60, lambda: len(self.front.rows()) >= n)

    def finish(self):
        self.graph.stop_story()
        self.assert_all_arrived(self.graph, self.msspd, FileRows(self.out))
        _, code = self.msspd.stop()
        self.assertEqual(code, 0)
        return self.front.rows()

    def test_http2_gzip_and_few_connections(self):
        self.scene()
        self.wait_for_requests(60)
        rows = self.finish()
        self.assertEqual({row.alpn for row in rows}, {"h2"})
        self.assertEqual({row.tls for row in rows}, {"TLSv1.3"})
        self.assertEqual({row.encoding for row in rows if row.method == "GET"}, {"gzip"})
        connections = len({row.port for row in rows})
        on_wire = sum(int(row.bytes) for row in rows)
        with open(self.raw, "rb") as f:
            unpacked = len(f.read())
        print("%d requests on %d connections, %d KB for %d KB of alerts" % (
            len(rows), connections, on_wire // 1024, unpacked // 1024), file=sys.stderr)
        self.assertLessEqual(connections, 2 * self.tenants)
        self.assertLess(connections * 4, len(rows))
        self.assertLess(on_wire * 2, unpacked)
        tokens = [row for row in rows if row.path.endswith("/token")]
        self.assertEqual(len(tokens), self.tenants, "one token a tenant, kept")

    def test_http2_server_that_goes_away(self):
        self.scene()
        # In order, saying GOAWAY to its clients; and in the middle of whatever it does.
        for n, how in ((30, signal.SIGQUIT), (60, signal.SIGKILL)):
            self.wait_for_requests(n)
            self.front.end(how)
            self.front.start()
        before = len(self.front.rows())
        self.wait_for_requests(before + 2 * self.tenants)
        # Who met the closed door waits some seconds: only the last states are promised then.
        self._up_since = None
        rows = self.finish()
        self.assertEqual({row.alpn for row in rows}, {"h2"})


if __name__ == "__main__":
    unittest.main()
