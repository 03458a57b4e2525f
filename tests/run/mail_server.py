# SPDX-License-Identifier: Apache-2.0
"""A mail server for tests, aiosmtpd (build/readers): every mail it took is a file, with its envelope beside it.

usage: mail_server.py PORT FOLDER CERT KEY USER PASSWORD starttls|smtps|plain [CLIENT-CA]

STARTTLS, AUTH PLAIN and LOGIN (after STARTTLS only), XOAUTH2. FOLDER/faults.json, read anew for each command,
says how recipients fare, by the part of the address before the @: "rcpt": {"who": "451 …"},
"data": {"who": "554 …"}, "slow": {"who": seconds}, "drop": ["who"] (the connection ends in DATA), "mail": "550 …"
(all senders), "auth": "454 …". An appended line of FOLDER/log for each session and mail.
"""
import asyncio
import base64
import json
import os
import ssl
import sys
import time

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

PORT, FOLDER, CERT, KEY, USER, PASSWORD, MODE = sys.argv[1:8]
CLIENT_CA = sys.argv[8] if len(sys.argv) > 8 else None


def faults():
    try:
        with open(os.path.join(FOLDER, "faults.json"), encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def log(**what):
    with open(os.path.join(FOLDER, "log"), "a", encoding="utf-8") as f:
        f.write(json.dumps(dict(what, at=time.time())) + "\n")


def authenticate(server, session, envelope, mechanism, data):
    ok = isinstance(data, LoginPassword) and data.login == USER.encode() and data.password == PASSWORD.encode()
    log(event="auth", mechanism=mechanism, ok=ok)
    return AuthResult(success=ok, auth_data=USER if ok else None, handled=False)


class Server(SMTP):
    async def auth_XOAUTH2(self, server, args):
        if len(args) > 1:
            blob = base64.b64decode(args[1]).decode()
        else:
            blob = (await self.challenge_auth("", False)).decode()
        ok = blob == "user=%s\x01auth=Bearer %s\x01\x01" % (USER, PASSWORD)
        log(event="auth", mechanism="XOAUTH2", ok=ok)
        return AuthResult(success=ok, auth_data=USER if ok else None, handled=False)

    async def smtp_AUTH(self, arg):
        refusal = faults().get("auth")
        if refusal:
            await self.push(refusal)
            return
        await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg):
        refusal = faults().get("mail")
        if refusal:
            await self.push(refusal)
            return
        await super().smtp_MAIL(arg)


class Handler:
    count = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        log(event="ehlo", helo=hostname)
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = faults().get("rcpt", {}).get(address.split("@")[0])
        if reply:
            log(event="rcpt", to=address, reply=reply)
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        who = {a.split("@")[0] for a in envelope.rcpt_tos}
        now = faults()
        for name in who:
            await asyncio.sleep(now.get("slow", {}).get(name, 0))
            if name in now.get("drop", []):
                log(event="drop", to=envelope.rcpt_tos)
                server.transport.abort()
                return "421 gone"
            if name in now.get("data", {}):
                return now["data"][name]
        Handler.count += 1
        name = os.path.join(FOLDER, "%d-%05d" % (os.getpid(), Handler.count))
        tls = server.transport.get_extra_info("ssl_object")
        with open(name + ".json.new", "w", encoding="utf-8") as f:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos, "login": session.auth_data,
                       "helo": session.host_name, "tls": tls.version() if tls else None,
                       "peer": bool(tls and tls.getpeercert()), "at": time.time()}, f)
        with open(name + ".eml", "wb") as f:
            f.write(envelope.original_content)
        os.rename(name + ".json.new", name + ".json")
        return "250 2.0.0 queued"


def context():
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(CERT, KEY)
    if CLIENT_CA:
        made.load_verify_locations(CLIENT_CA)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def session():
    log(event="session")
    starttls = MODE == "starttls"
    return Server(Handler(), hostname="mx.test", tls_context=context() if starttls else None,
                  require_starttls=starttls, auth_required=USER != "", auth_require_tls=starttls,
                  authenticator=authenticate, data_size_limit=2 << 20)


async def main():
    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", int(PORT), ssl=context() if MODE == "smtps" else None)
    await server.serve_forever()


asyncio.run(main())
