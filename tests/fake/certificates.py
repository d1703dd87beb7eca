# SPDX-License-Identifier: Apache-2.0
"""Makes what a client needs to come in: a CA, certificates, tokens, kubeconfig files. Uses openssl(1)."""
import base64
import os
import secrets
import ssl
import subprocess

RUNNER = "system:serviceaccount:shop:runner"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def make(folder):
    """Fills folder/pki: ca, server and admin, each with .crt and .key."""
    pki = os.path.join(folder, "pki")
    os.makedirs(pki, mode=0o700, exist_ok=True)

    def path(name):
        return os.path.join(pki, name)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    openssl("req", "-x509", *curve, "-subj", "/CN=fake-ca", "-keyout", path("ca.key"), "-out", path("ca.crt"))
    for name, subject, extensions in (
            ("server", "/CN=localhost", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\n"
             "extendedKeyUsage=serverAuth\n"),
            ("admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth\n")):
        with open(path(name + ".ext"), "w", encoding="ascii") as file:
            file.write(extensions)
        openssl("req", "-new", *curve[:-2], "-subj", subject, "-keyout", path(name + ".key"), "-out",
                path(name + ".csr"))
        openssl("x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"),
                "-CAcreateserial", "-days", "30", "-extfile", path(name + ".ext"), "-out", path(name + ".crt"))
    return pki


def server_context(pki):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(pki, "server.crt"), os.path.join(pki, "server.key"))
    context.load_verify_locations(os.path.join(pki, "ca.crt"))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


def new_token():
    return secrets.token_urlsafe(32)


def read_base64(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


KUBECONFIG = """apiVersion: v1
kind: Config
clusters:
- name: fake
  cluster:
    server: {url}
    certificate-authority-data: {ca}
users:
- name: {user}
  user:
{credentials}
contexts:
- name: {context}
  context:
    cluster: fake
    user: {user}
    namespace: shop
current-context: {context}
"""


def write_kubeconfig(path, url, pki, user, credentials):
    text = KUBECONFIG.format(url=url, ca=read_base64(os.path.join(pki, "ca.crt")), user=user, context=user + "@fake",
                             credentials="\n".join(f"    {key}: {value}" for key, value in credentials.items()))
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text)


def write_kubeconfigs(folder, url, pki, token):
    """DIR/kubeconfig: admin, by client certificate. DIR/kubeconfig-token: the restricted service account."""
    write_kubeconfig(os.path.join(folder, "kubeconfig"), url, pki, "admin", {
        "client-certificate-data": read_base64(os.path.join(pki, "admin.crt")),
        "client-key-data": read_base64(os.path.join(pki, "admin.key"))})
    write_kubeconfig(os.path.join(folder, "kubeconfig-token"), url, pki, "runner", {"token": token})
