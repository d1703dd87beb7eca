/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/digest.h"

#include <string.h>

#define PREFIX "sha256:"

bool digest_is_valid(const char *text)
{
	return text && !strncmp(text, PREFIX, strlen(PREFIX)) &&
	       strspn(text + strlen(PREFIX), "0123456789abcdef") == 64 &&
	       strlen(text) == DIGEST_SIZE - 1;
}

const char *digest_hex(const char *digest)
{
	return digest + strlen(PREFIX);
}
