#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What tests/integration/registry needs beside a real registry, on two TLS ports of 127.0.0.1:
#
#	registry_server.py FOLDER
#
# "odd" is a registry whose repositories each do one odd thing, and the token server; "store" is another server that
# redirects lead to. FOLDER holds server.pem and server.key, token.pem and token.key, blobs/HEX. Writes FOLDER/ports
# when it listens, and a line "SERVER METHOD PATH AUTHORIZATION" a request to FOLDER/requests. SIGTERM ends it.
import base64
import http.server
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

folder = sys.argv[1]
ports = {}
lock = threading.Lock()
BASIC = "Basic " + base64.b64encode(b"ana:" + b"Pass-Word-1").decode()


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(service, scope):
    """A token as the real registry checks it: a JWT signed by token.key."""
    der = ssl.PEM_cert_to_DER_cert(open(folder + "/token.pem").read())
    kind, name, actions = scope.split(":")
    now = int(time.time())
    head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
    body = {"iss": "oneoff-test", "sub": "ana", "aud": service, "exp": now + 60, "nbf": now - 60,
            "iat": now, "jti": "1",
            "access": [{"type": kind, "name": name, "actions": actions.split(",")}]}
    text = encode(json.dumps(head).encode()) + "." + encode(json.dumps(body).encode())
    done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", folder + "/token.key"],
                          input=text.encode(), stdout=subprocess.PIPE, check=True)
    return text + "." + encode(done.stdout)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = ""

    def log_message(self, *_):
        pass

    def note(self):
        with lock, open(folder + "/requests", "a") as log:
            log.write("%s %s %s %s\n" % (self.name, self.command, self.path,
                                         self.headers.get("Authorization", "-")))

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def blob(self, digest, more=b""):
        try:
            with open(folder + "/blobs/" + digest.removeprefix("sha256:"), "rb") as file:
                self.answer(200, file.read() + more)
        except OSError:
            self.answer(404)


class Store(Handler):
    name = "store"

    def do_GET(self):
        self.note()
        if self.path.startswith("/thief/"):
            realm = "https://127.0.0.1:%d/steal" % ports["store"]
            self.answer(401, WWW_Authenticate='Bearer realm="%s",service="odd"' % realm)
        elif self.path.startswith("/back/"):
            self.answer(307, Location="https://localhost:%d/v2/same/blobs/%s" %
                        (ports["odd"], self.path.rsplit("/", 1)[1]))
        else:
            self.blob(self.path.split("?")[0].rsplit("/", 1)[1])


class Odd(Handler):
    name = "odd"

    def do_POST(self):
        self.note()
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        right = (form.get("grant_type") == ["refresh_token"] and form.get("client_id") and
                 form.get("refresh_token") == ["Refresh-Word-1/+&="] and
                 self.headers["Content-Type"] == "application/x-www-form-urlencoded")
        if right:
            made = token(form["service"][0], form["scope"][0])
            self.answer(200, json.dumps({"access_token": made}).encode())
        else:
            self.answer(401)

    def do_GET(self):
        self.note()
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/token":
            self.give_token(urllib.parse.parse_qs(url.query))
        elif url.path.startswith("/v2/thief/"):
            self.answer(302, Location="https://127.0.0.1:%d/thief/" % ports["store"])
        elif self.headers.get("Authorization") != BASIC:
            self.answer(401, WWW_Authenticate='Basic realm="odd"')
        else:
            _, _, repository, kind, digest = url.path.split("/", 4)
            self.give(repository, kind, digest)

    def give_token(self, query):
        if query.get("account") != ["x"]:
            self.answer(400)
        elif self.headers.get("Authorization") == BASIC:
            self.answer(200, json.dumps({"token": token(query["service"][0],
                                                        query["scope"][0])}).encode())
        elif "Authorization" not in self.headers and "public" in query["scope"][0]:
            self.answer(200, json.dumps({"token": token(query["service"][0],
                                                        query["scope"][0])}).encode())
        else:
            self.answer(401)

    def give(self, repository, kind, digest):
        store = "https://127.0.0.1:%d" % ports["store"]
        if repository == "silent":
            time.sleep(60)
        elif repository == "endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b" " * 65536)
            except OSError:
                self.close_connection = True
        elif repository == "broken":
            self.answer(500)
        elif repository == "lying":
            self.blob(digest, b" ")
        elif repository == "loop":
            self.answer(302, Location=self.path)
        elif kind == "manifests" or repository == "same":
            self.blob(digest)
        elif repository == "away":
            self.answer(307, Location=store + "/blobs/" + digest + "?signature=Signed-Word-1")
        elif repository == "local":
            self.answer(302, Location="/v2/same/blobs/" + digest)
        elif repository == "back":
            self.answer(302, Location=store + "/back/" + digest)
        elif repository == "plain":
            self.answer(302, Location="http://127.0.0.1:%d/blobs/%s" % (ports["store"], digest))
        elif repository == "late-thief":
            self.answer(302, Location=store + "/thief/" + digest)
        else:
            self.answer(302)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def serve(handler):
    server = Server(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    ports[handler.name] = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
serve(Odd)
serve(Store)
with open(folder + "/ports.new", "w") as out:
    out.write("%d %d\n" % (ports["odd"], ports["store"]))
os.rename(folder + "/ports.new", folder + "/ports")
while True:
    signal.pause()
