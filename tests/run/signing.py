# SPDX-License-Identifier: Apache-2.0
"""Keys, certificates and signed tokens for tests, made by the openssl program."""
import base64
import json
import os
import subprocess


def _openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Certificate:
    """A key and the certificate that it signs for itself, as files NAME.key and NAME.crt of a folder."""

    def __init__(self, folder, name, days=365, passphrase=None):
        self.key, self.file = (os.path.join(folder, name + end) for end in (".key", ".crt"))
        lock = ["-passout", "pass:" + passphrase] if passphrase else ["-nodes"]
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-sha256", "-subj", "/CN=" + name,
                 "-days", str(days), "-keyout", self.key, "-out", self.file, *lock)
        os.chmod(self.key, 0o600)

    def thumbprint(self, digest):
        der = _openssl("x509", "-in", self.file, "-outform", "DER")
        return base64url(_openssl("dgst", "-" + digest, "-binary", data=der))

    def public_key(self, path):
        with open(path, "wb") as f:
            f.write(_openssl("x509", "-in", self.file, "-pubkey", "-noout"))
        return path

    def sign(self, claims, alg="PS256", head=None):
        """A JWT; head adds to its header."""
        first = dict({"alg": alg, "typ": "JWT"}, **(head or {}))
        text = ".".join(base64url(json.dumps(part).encode()) for part in (first, claims))
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if alg == "PS256" else []
        signature = _openssl("dgst", "-sha256", "-sign", self.key, *pss, data=text.encode())
        return text + "." + base64url(signature)
