/* SPDX-License-Identifier: Apache-2.0 */
/* How the kubelet compares a pull secret's key with an image (pkg/credentialprovider/keyring.go, v1.36). */
#include "pkg/kube/registry_internal.h"

#include <string.h>

/* One element of a pattern against one byte. Returns the element's length, 0 when it is malformed. */
static size_t match_one(const char *pattern, size_t length, char byte, bool *ret_fits)
{
	size_t at = 1;
	bool negated, fits = false;

	*ret_fits = pattern[0] == '?' || pattern[0] == byte;
	if (pattern[0] == '\\') {
		*ret_fits = length > 1 && pattern[1] == byte;
		return length > 1 ? 2 : 0;
	}
	if (pattern[0] != '[')
		return 1;
	negated = length > 1 && pattern[1] == '^';
	at += negated;
	for (bool first = true; at < length && (first || pattern[at] != ']'); first = false) {
		char low = pattern[at], high = low;

		if (low == ']' || low == '-')
			return 0;
		if (at + 2 < length && pattern[at + 1] == '-') {
			high = pattern[at + 2];
			at += 2;
		}
		at++;
		fits |= low <= byte && byte <= high;
	}
	*ret_fits = fits != negated;
	return at < length ? at + 1 : 0;
}

bool registry_match_pattern(const char *pattern, size_t pattern_length, const char *text,
                            size_t length)
{
	size_t at = 0, used = 0, star = 0, star_used = 0, step;
	bool starred = false, fits;

	/* After a mismatch only the last star has to take one byte more. */
	while (used < length) {
		if (at < pattern_length && pattern[at] == '*') {
			starred = true;
			star = ++at;
			star_used = used;
			continue;
		}
		step = 0;
		fits = false;
		if (at < pattern_length) {
			step = match_one(pattern + at, pattern_length - at, text[used], &fits);
			if (!step)
				return false;
		}
		if (fits) {
			at += step;
			used++;
		} else if (starred) {
			at = star;
			used = ++star_used;
		} else {
			return false;
		}
	}
	while (at < pattern_length && pattern[at] == '*')
		at++;
	return at == pattern_length;
}

/* Cuts "HOST[:PORT]/PATH" into its lengths; a colon in brackets is no port's. */
static void measure(const char *text, size_t *ret_host, size_t *ret_authority)
{
	size_t authority = strcspn(text, "/"), host = authority;

	for (size_t i = authority; i > 0 && text[i - 1] != ']'; i--) {
		if (text[i - 1] == ':') {
			host = i - 1;
			break;
		}
	}
	*ret_host = host;
	*ret_authority = authority;
}

bool registry_match(const char *key, const char *image)
{
	size_t key_host, key_authority, image_host, image_authority;
	const char *key_end, *image_end;

	measure(key, &key_host, &key_authority);
	measure(image, &image_host, &image_authority);
	if (key_authority - key_host != image_authority - image_host ||
	    strncmp(key + key_host, image + image_host, key_authority - key_host) != 0)
		return false;
	if (strncmp(key + key_authority, image + image_authority, strlen(key + key_authority)) != 0)
		return false;
	key_end = key + key_host;
	image_end = image + image_host;
	for (;;) {
		const char *key_dot = memchr(key, '.', (size_t)(key_end - key));
		const char *image_dot = memchr(image, '.', (size_t)(image_end - image));
		size_t key_length = (size_t)((key_dot ? key_dot : key_end) - key);
		size_t image_length = (size_t)((image_dot ? image_dot : image_end) - image);

		if (!key_dot != !image_dot ||
		    !registry_match_pattern(key, key_length, image, image_length))
			return false;
		if (!key_dot)
			return true;
		key = key_dot + 1;
		image = image_dot + 1;
	}
}
