/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests as descriptors write them: "sha256:" and 64 lower-case hexadecimal digits (image-spec
 * descriptor.md "Digests"). Checked before they become a path (CVE-2024-3727).
 */
#ifndef ONEOFF_OCI_DIGEST_H
#define ONEOFF_OCI_DIGEST_H

#include <stdbool.h>

/* Bytes of "sha256:HEX" with the NUL. */
#define DIGEST_SIZE 72

/* True for exactly that form; NULL is none. sha512, which nobody writes, is not supported. */
bool digest_is_valid(const char *text);

/* The part behind "sha256:" of a valid one. Borrowed. */
const char *digest_hex(const char *digest);

#endif
