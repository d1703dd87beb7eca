/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256, by libcrypto: names of docker contexts, digests of images and layers.
 *
 *	char hex[SHA256_HEX_SIZE];
 *	if (sha256_hex(name, strlen(name), hex, err) < 0)
 *		return -1;
 *
 * or, for what comes in pieces:
 *
 *	_cleanup_(sha256_release) struct sha256 *hash = NULL;
 *	if (sha256_begin(&hash, err) < 0 || sha256_update(hash, bytes, length, err) < 0 ||
 *	    sha256_end(hash, hex, err) < 0)
 *		return -1;
 *
 * libcrypto.so.3 (which libcurl brings anyway) is loaded with dlopen when the first hash begins, so
 * that commands which hash nothing pay neither its time nor its memory. ERR_SYSTEM with the package
 * to install when it is missing. Single thread.
 */
#ifndef ONEOFF_BASE_SHA256_H
#define ONEOFF_BASE_SHA256_H

#include <stddef.h>
#include "pkg/base/err.h"

#define SHA256_HEX_SIZE 65 /* 64 lower-case digits and the NUL */

/* The digest of all bytes at once. */
int sha256_hex(const void *bytes, size_t length, char hex[SHA256_HEX_SIZE],
               struct err *err) _must_check_;

/* SHA-1 of all bytes at once, for protocols that still name it (WebSocket's handshake, RFC 6455); it proves
 * nothing. */
int sha1_digest(const void *bytes, size_t length, unsigned char digest[20],
                struct err *err) _must_check_;

struct sha256;

/* Begins a hash; owned by the caller. */
int sha256_begin(struct sha256 **ret, struct err *err) _must_check_;
/* Adds bytes. */
int sha256_update(struct sha256 *hash, const void *bytes, size_t length,
                  struct err *err) _must_check_;
/* The digest of what was added. Afterwards the hash can only be released. */
int sha256_end(struct sha256 *hash, char hex[SHA256_HEX_SIZE], struct err *err) _must_check_;
/* For _cleanup_: frees the hash; NULL is fine. */
void sha256_release(struct sha256 **hash);

#endif
