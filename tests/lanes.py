# SPDX-License-Identifier: Apache-2.0
"""Lanes: several tests at once, each lane one after the other, since most of them wait most of the time.

What is handed in is a list of pieces of work (Program, Test); what comes back is one Outcome for each
of them, whatever happens: who hangs is ended after its limit, with all it has started and nothing else,
and a worker that dies is the failure of the test that it was at. Knows nothing of what tests are about.
"""
import collections
import contextlib
import itertools
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))

# passed, failed, skipped: how many; text: for who wants to know why.
Outcome = collections.namedtuple("Outcome", "name passed failed skipped seconds text")


MARK = "MSSPD_LANE_MARK"
COUNT = itertools.count()


def marked():
    """An environment by which all that comes from a process is found again, in whatever session."""
    return dict(os.environ, **{MARK: "%d.%d" % (os.getpid(), next(COUNT))})


def end_marked(environment):
    """Ends every process that has the mark, until none is left: who is ended may just have started one."""
    mark = ("%s=%s" % (MARK, environment[MARK])).encode()
    found = True
    while found:
        found = False
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/environ" % pid, "rb") as f:
                    if mark in f.read().split(b"\0"):
                        os.kill(int(pid), signal.SIGKILL)
                        found = True
            except OSError:
                continue  # it has ended meanwhile, or is somebody else's
        time.sleep(0.05)


class Program:
    """A unit test program: Check prints '100%: Checks: 12, Failures: 0, Errors: 0'."""

    alone, apart = False, None

    def __init__(self, path, name, limit):
        self.path, self.name, self.limit = path, name, limit

    def run(self, lane):
        began, environment, hung = time.monotonic(), marked(), ""
        with tempfile.TemporaryFile("w+", errors="replace") as out:
            child = subprocess.Popen([self.path], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     env=environment)
            try:
                child.wait(self.limit)
            except subprocess.TimeoutExpired:
                end_marked(environment)
                child.wait()
                hung = "hung: ended after %d s\n" % self.limit
            out.seek(0)
            return self.judge(child.returncode, hung, out.read(), time.monotonic() - began)

    def judge(self, code, hung, text, seconds):
        found = re.findall(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)", text)
        checks = sum(int(f[0]) for f in found)
        bad = sum(int(f[1]) + int(f[2]) for f in found)
        if checks == 0 or (code != 0 and bad == 0):
            bad, checks = bad + 1, checks + 1
        return Outcome(self.name, checks - bad, bad, 0, seconds, hung + text if bad else "")


class Test:
    """A test of the run folder, for the lane's worker."""

    def __init__(self, name, limit, alone, apart):
        self.name, self.limit, self.alone, self.apart = name, limit, alone, apart

    def run(self, lane):
        worker = lane.worker()
        began = time.monotonic()
        worker.begin(self.name)
        report = worker.wait(self.limit)
        if report is None:
            report = {"word": "FAILED", "text": lane.end_worker(self.limit), "seconds": time.monotonic() - began}
        text = "\n".join(filter(None, (report["text"].rstrip(), worker.said())))
        counts = {word: int(report["word"] == word) for word in ("ok", "FAILED", "skipped")}
        return Outcome(self.name, counts["ok"], counts["FAILED"], counts["skipped"], report["seconds"], text)


class Worker:
    """A process of worker.py, and what it prints."""

    def __init__(self, folder):
        self.output, self.read_to = tempfile.TemporaryFile(), 0
        self.place = tempfile.mkdtemp(prefix="msspd-run-", dir=os.environ.get("MSSPD_RUN_DIR", "/tmp"))
        os.chmod(self.place, 0o711)  # programs of other users have folders in it
        self.environment = dict(marked(), MSSPD_RUN_DIR=self.place)
        report, out = os.pipe()
        self.child = subprocess.Popen([sys.executable, os.path.join(HERE, "worker.py"), folder, str(out)],
                                      stdin=subprocess.PIPE, stdout=self.output, stderr=self.output, pass_fds=(out,),
                                      env=self.environment, text=True)
        os.close(out)
        self.report = os.fdopen(report, encoding="utf-8")

    def begin(self, name):
        with contextlib.suppress(BrokenPipeError):  # it has died: wait() tells
            self.child.stdin.write(name + "\n")
            self.child.stdin.flush()

    def wait(self, limit):
        """What became of the test; None where the worker hangs or has died."""
        ready, _, _ = select.select([self.report], [], [], limit)
        line = self.report.readline() if ready else ""
        return json.loads(line) if line.endswith("\n") else None

    def said(self):
        """What it has printed since it was asked last."""
        size = os.fstat(self.output.fileno()).st_size
        text = os.pread(self.output.fileno(), size - self.read_to, self.read_to)
        self.read_to = size
        return text.decode("utf-8", "replace").strip()

    def end(self, limit):
        """After wait() gave None: why. Who hangs says where he is before he is ended."""
        try:
            code = self.child.wait(2)
            why = "the worker died: %s" % (signal.Signals(-code).name if code < 0 else "exit code %d" % code)
        except subprocess.TimeoutExpired:
            self.child.send_signal(signal.SIGUSR1)
            time.sleep(1)
            why = "hung: ended after %d s" % limit
        end_marked(self.environment)
        self.close()
        return why

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.close()
        self.child.wait()
        self.report.close()
        if os.environ.get("MSSPD_KEEP") != "1":
            shutil.rmtree(self.place, ignore_errors=True)
        elif not os.listdir(self.place):
            os.rmdir(self.place)


class Todo:
    """What is still to be done. Of those that are apart by the same word never two are at once."""

    def __init__(self, works):
        self.works, self.changed, self.taken = list(works), threading.Condition(), set()

    def take(self):
        """The next, once there is one that may be; None: all is done, or is being done."""
        with self.changed:
            while self.works:
                work = next((w for w in self.works if w.apart not in self.taken), None)
                if work is not None:
                    self.works.remove(work)
                    self.taken |= {work.apart} - {None}
                    return work
                self.changed.wait()
            return None

    def done(self, work):
        with self.changed:
            self.taken -= {work.apart}
            self.changed.notify_all()

    def clear(self):
        with self.changed:
            self.works.clear()
            self.changed.notify_all()


class Lane(threading.Thread):
    """Takes the next piece of work until there is none."""

    def __init__(self, todo, folder, tell):
        super().__init__()
        self.todo, self.folder, self.tell = todo, folder, tell
        self._worker = None

    def worker(self):
        if self._worker is None:
            self._worker = Worker(self.folder)
        return self._worker

    def end_worker(self, limit):
        worker, self._worker = self._worker, None
        return worker.end(limit)

    def run(self):
        work = self.todo.take()
        while work is not None:
            try:
                outcome = work.run(self)
            except Exception:  # a failure of the lane is one of the test, never its loss
                outcome = Outcome(work.name, 0, 1, 0, 0, traceback.format_exc())
            self.todo.done(work)
            self.tell(outcome)
            work = self.todo.take()
        if self._worker is not None:
            self._worker.close()


def run(works, lanes, folder, take):
    """take(outcome) for each piece of work as it ends; those that must be alone come after all others."""
    telling = threading.Lock()

    def tell(outcome):
        with telling:
            take(outcome)

    for some, width in (([w for w in works if not w.alone], lanes), ([w for w in works if w.alone], 1)):
        todo = Todo(some)
        threads = [Lane(todo, folder, tell) for _ in range(min(width, len(some)))]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            todo.clear()
            raise
