/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/sha256.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>

#define LIBCRYPTO_FUNCTIONS(X)                                                                     \
	X(EVP_MD_CTX_new)                                                                          \
	X(EVP_MD_CTX_free)                                                                         \
	X(EVP_sha1)                                                                                \
	X(EVP_sha256)                                                                              \
	X(EVP_DigestInit_ex)                                                                       \
	X(EVP_DigestUpdate)                                                                        \
	X(EVP_DigestFinal_ex)

/* The functions keep the types of evp.h, so the compiler checks calls as if they were linked. */
struct libcrypto {
#define LIBCRYPTO_MEMBER(name) __typeof__(&(name)) name;
	LIBCRYPTO_FUNCTIONS(LIBCRYPTO_MEMBER)
#undef LIBCRYPTO_MEMBER
};

struct sha256 {
	struct libcrypto library;
	EVP_MD_CTX *context;
};

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define LIBCRYPTO_SYMBOL(name) {#name, offsetof(struct libcrypto, name)},
	LIBCRYPTO_FUNCTIONS(LIBCRYPTO_SYMBOL)
#undef LIBCRYPTO_SYMBOL
};

static int libcrypto_load(struct libcrypto *ret, struct err *err)
{
	struct libcrypto library = {.EVP_sha256 = NULL};
	/* RTLD_NODELETE: OpenSSL registers exit handlers that must still be there at the end. The
	 * handle is not kept: the library stays, and loading it again is a look-up. */
	void *handle = dlopen("libcrypto.so.3", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);

	if (!handle) {
		err_set(err, ERR_SYSTEM, "cannot load libcrypto: %s", dlerror());
		return err_hint(err, "install OpenSSL 3 (Debian: apt-get install libssl3)");
	}
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *address = dlsym(handle, symbols[i].name);

		if (!address)
			return err_set(err, ERR_SYSTEM, "libcrypto has no %s", symbols[i].name);
		memcpy((char *)&library + symbols[i].offset, &address, sizeof(address));
	}
	*ret = library;
	return 0;
}

void sha256_release(struct sha256 **hash)
{
	if (!*hash)
		return;
	if ((*hash)->context)
		(*hash)->library.EVP_MD_CTX_free((*hash)->context);
	free(*hash);
	*hash = NULL;
}

int sha256_begin(struct sha256 **ret, struct err *err)
{
	_cleanup_(sha256_release) struct sha256 *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return err_no_memory(err);
	if (libcrypto_load(&hash->library, err) < 0)
		return -1;
	hash->context = hash->library.EVP_MD_CTX_new();
	if (!hash->context)
		return err_no_memory(err);
	if (!hash->library.EVP_DigestInit_ex(hash->context, hash->library.EVP_sha256(), NULL))
		return err_set(err, ERR_SYSTEM, "libcrypto offers no SHA-256");
	*ret = TAKE_PTR(hash);
	return 0;
}

int sha256_update(struct sha256 *hash, const void *bytes, size_t length, struct err *err)
{
	if (length && !hash->library.EVP_DigestUpdate(hash->context, bytes, length))
		return err_set(err, ERR_SYSTEM, "libcrypto could not continue a SHA-256");
	return 0;
}

int sha256_end(struct sha256 *hash, char hex[SHA256_HEX_SIZE], struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (!hash->library.EVP_DigestFinal_ex(hash->context, digest, &size) || size != 32)
		return err_set(err, ERR_SYSTEM, "libcrypto could not finish a SHA-256");
	for (size_t i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

int sha256_hex(const void *bytes, size_t length, char hex[SHA256_HEX_SIZE], struct err *err)
{
	_cleanup_(sha256_release) struct sha256 *hash = NULL;

	if (sha256_begin(&hash, err) < 0 || sha256_update(hash, bytes, length, err) < 0)
		return -1;
	return sha256_end(hash, hex, err);
}

int sha1_digest(const void *bytes, size_t length, unsigned char digest[20], struct err *err)
{
	struct libcrypto library;
	EVP_MD_CTX *context;
	unsigned size = 0;
	bool done;

	if (libcrypto_load(&library, err) < 0)
		return -1;
	context = library.EVP_MD_CTX_new();
	if (!context)
		return err_no_memory(err);
	done = library.EVP_DigestInit_ex(context, library.EVP_sha1(), NULL) &&
	       library.EVP_DigestUpdate(context, bytes, length) &&
	       library.EVP_DigestFinal_ex(context, digest, &size) && size == 20;
	library.EVP_MD_CTX_free(context);
	return done ? 0 : err_set(err, ERR_SYSTEM, "libcrypto offers no SHA-1");
}
