# SPDX-License-Identifier: Apache-2.0
"""Asks one fake-graph as a client of Microsoft's would, without msspd."""
import http.client
import json
import os
import signal
import subprocess
import time
import urllib.parse

import harness

CLIENT = "6f0c8a5e-0000-4000-8000-000000000001"
ALERTS = "/v1.0/security/alerts_v2"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PREFER = {"Prefer": "include-unknown-enum-members"}
UPDATED_ASC = "$orderby=lastUpdateDateTime%20asc"


def guid(index):
    return "00000000-0000-4000-8000-%012d" % index


def ticks(text):
    """RFC 3339 with up to 7 digits to 100 ns since 1970."""
    day, _, rest = text.rstrip("Z").partition(".")
    sec = int(time.mktime(time.strptime(day + " UTC", "%Y-%m-%dT%H:%M:%S %Z"))) - time.timezone
    return sec * 10**7 + int((rest + "0000000")[:7])


def program():
    return os.path.join(harness.BIN, "fake-graph")


class Graph:
    """One running fake-graph."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [program(), "--listen", "127.0.0.1:0", "--quiet", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise AssertionError("no start: %r %s" % (line, self.process.communicate()[1]))
        self.url = line.split()[-1]
        self.host = self.url.split("//")[1]
        self.tokens = {}

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=20)
        if self.process.returncode != 0:
            raise AssertionError("exit %d: %s" % (self.process.returncode, errors))

    def ask(self, method, path, body=None, headers=None, timeout=10):
        """(status, headers, body); raises what the connection raises."""
        connection = http.client.HTTPConnection(self.host, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def ask_token(self, tenant=1, **form):
        fields = {"client_id": CLIENT, "client_secret": "fake-secret",
                  "scope": self.url + "/.default", "grant_type": "client_credentials", **form}
        name = guid(tenant) if isinstance(tenant, int) else tenant
        status, headers, body = self.ask(
            "POST", "/%s/oauth2/v2.0/token" % name, urllib.parse.urlencode(fields),
            {"Content-Type": "application/x-www-form-urlencoded"})
        return status, headers, body

    def token(self, tenant=1):
        if tenant not in self.tokens:
            self.tokens[tenant] = json.loads(self.ask_token(tenant)[2])["access_token"]
        return self.tokens[tenant]

    def get(self, query="", tenant=1, path=ALERTS, headers=None, timeout=10):
        return self.ask("GET", path + ("?" + query if query else ""), None,
                        {"Authorization": "Bearer " + self.token(tenant), **PREFER,
                         **(headers or {})}, timeout)

    def page(self, query="", tenant=1, **more):
        status, _, body = self.get(query, tenant, **more)
        if status != 200:
            raise AssertionError("%d %s" % (status, body))
        return json.loads(body)

    def all(self, query=UPDATED_ASC, tenant=1, limit=1000):
        """The alerts of all pages, by nextLink."""
        alerts = []
        page = self.page(query, tenant)
        for _ in range(limit):
            alerts += page["value"]
            link = page.get("@odata.nextLink")
            if link is None:
                return alerts
            assert link.startswith(self.url + ALERTS), link
            page = self.page(link.split("?", 1)[1], tenant)
        raise AssertionError("no end of pages")

    def control(self, place, **what):
        status, _, body = self.ask("POST", "/_control/" + place, json.dumps(what))
        if status != 200:
            raise AssertionError(body)
        return json.loads(body)["done"]

    def requests(self):
        return json.loads(self.ask("GET", "/_control/requests")[2])

    def truth(self, tenant=1):
        body = self.ask("GET", "/_control/truth?tenant=%d" % tenant)[2]
        return [json.loads(line) for line in body.splitlines()]
