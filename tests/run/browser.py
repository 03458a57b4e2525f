# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that a run drives over the DevTools protocol, by a pipe: no port, no library."""
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

import harness

NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome",
         "/usr/lib64/chromium-browser/headless_shell")


def find():
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page. Everything that it complains about is in `complaints`."""

    def __init__(self, run):
        self.run = run
        self.profile = tempfile.mkdtemp(prefix="profile-", dir=run.dir)
        self.complaints, self.requests, self.replies = [], [], {}
        self.number, self.waiting = 0, b""
        to_browser, self.to = os.pipe()
        self.out, from_browser = os.pipe()
        # In the child they are 3 and 4; out of the way of these meanwhile.
        first, second = fcntl.fcntl(to_browser, fcntl.F_DUPFD_CLOEXEC, 100), fcntl.fcntl(
            from_browser, fcntl.F_DUPFD_CLOEXEC, 100)

        def prepare():
            harness.die_with_parent()
            os.dup2(first, 3)
            os.dup2(second, 4)

        with open(run.path("chromium.log"), "ab") as log:
            self.child = subprocess.Popen(
                [find(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--disable-quic", "--no-first-run",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + self.profile,
                 "--remote-debugging-pipe", "about:blank"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False, start_new_session=True,
                preexec_fn=prepare)
        for fd in (to_browser, from_browser, first, second):
            os.close(fd)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    session = None

    def close(self):
        """Ends it with all its children: they are of its process group."""
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        os.close(self.to)
        os.close(self.out)

    # ---- the protocol

    def _read(self, seconds):
        """One message, or None."""
        end = time.monotonic() + seconds
        while b"\0" not in self.waiting:
            ready, _, _ = select.select([self.out], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            piece = os.read(self.out, 1 << 20)
            assert piece, "chromium has ended: " + self.run.read("chromium.log")[-2000:]
            self.waiting += piece
        message, self.waiting = self.waiting.split(b"\0", 1)
        return json.loads(message)

    def _take(self, m):
        if "id" in m:
            self.replies[m["id"]] = m
            return
        p, method = m.get("params", {}), m.get("method")
        if method == "Runtime.exceptionThrown":
            self.complaints.append("exception: " + json.dumps(p["exceptionDetails"])[:600])
        elif method == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning", "assert"):
            self.complaints.append("console: " + json.dumps(p["args"])[:600])
        elif method == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
            self.complaints.append("log: " + json.dumps(p["entry"])[:600])
        elif method == "Network.requestWillBeSent":
            self.requests.append(p["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append("dialog: " + p["message"])
        elif method == "Fetch.requestPaused":
            self.on_paused(p)

    def on_paused(self, p):
        self.send("Fetch.continueRequest", requestId=p["requestId"])

    def send(self, method, **params):
        self.number += 1
        m = {"id": self.number, "method": method, "params": params}
        if self.session:
            m["sessionId"] = self.session
        data = json.dumps(m).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        return self.number

    def call(self, method, **params):
        number = self.send(method, **params)
        end = time.monotonic() + 60 * harness.SLOW
        while number not in self.replies:
            m = self._read(max(0, end - time.monotonic()))
            assert m is not None, "no answer from chromium to " + method
            self._take(m)
        reply = self.replies.pop(number)
        assert "error" not in reply, "%s: %s" % (method, reply.get("error"))
        return reply["result"]

    def pump(self, seconds):
        """Lets time pass and hears what the page says."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            m = self._read(max(0, end - time.monotonic()))
            if m is not None:
                self._take(m)

    # ---- what runs want

    def size(self, width, height, scale=1, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)

    def theme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def go(self, url):
        self.call("Page.navigate", url=url)

    def eval(self, text):
        """The value of an expression, by way of JSON. A promise is awaited."""
        reply = self.call("Runtime.evaluate", expression=text, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, "%s: %s" % (text, reply.get("exceptionDetails"))
        return reply["result"].get("value")

    def wait(self, what, text, seconds=20):
        return harness.wait_for(what, seconds, lambda: self.eval(text), interval=0.1)

    def key(self, key, code=None, text=None):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      **({"text": text} if text and kind == "keyDown" else {}),
                      **({"windowsVirtualKeyCode": 9} if key == "Tab" else {"windowsVirtualKeyCode": 13} if key == "Enter" else {}))

    def picture(self, path, whole=False):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
