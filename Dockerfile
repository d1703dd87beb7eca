# SPDX-License-Identifier: Apache-2.0
#
# oneoff in a cluster: the program, the libraries it loads and the authorities it trusts, nothing else; no shell, no
# package manager, not root.   make image      (19 MB; its test prints the size: make image-test)
#
# What is left out: libarchive, with which `console` reads a container's files through Docker; in a cluster nobody can.

ARG BASE=debian:12
FROM ${BASE} AS build
COPY . /src
WORKDIR /src
RUN command -v make >/dev/null || { apt-get update -q && apt-get install -y -q --no-install-recommends make; }
RUN make setup-build && make VARIANT=release -j"$(nproc)" all
RUN set -eu; out=/out; \
	install -D -s build/release/oneoff $out/usr/bin/oneoff; \
	ln -s oneoff $out/usr/bin/kubectl-oneoff; \
	curl=$(ldconfig -p | sed -n 's/.*libcurl\.so\.4 .*=> //p' | head -n 1); \
	{ echo "$curl"; ldd "$curl" build/release/oneoff | grep -o '/[^ ]* (' | tr -d ' ('; } | sort -u | \
		while read -r library; do \
			install -D -m 0755 "$library" "$out$library"; \
		done; \
	install -D -m 0644 /etc/ssl/certs/ca-certificates.crt $out/etc/ssl/certs/ca-certificates.crt; \
	echo 'oneoff:x:65532:65532::/:/usr/bin/oneoff' >$out/etc/passwd; \
	echo 'oneoff:x:65532:' >$out/etc/group; \
	install -d -m 1777 $out/tmp

FROM scratch
COPY --from=build /out /
LABEL org.opencontainers.image.title="oneoff" \
	org.opencontainers.image.description="Run an admin task next to a running app, identical to it and gone when done" \
	org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/bin/oneoff"]
CMD ["help"]
