/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when the first request is made. Loading and initialising the distribution's
 * libcurl takes 4 ms and 10 MB, most of it for protocols that we never speak; `oneoff version`,
 * `help`, the OCI backend and the guardian process should not pay that. The functions keep their
 * own types, so the compiler checks every call as if it were linked. The .note.dlopen idea is
 * systemd's.
 */
#ifndef ONEOFF_NET_CURL_LIBRARY_H
#define ONEOFF_NET_CURL_LIBRARY_H

#include <curl/curl.h>
#include "pkg/base/err.h"

#define CURL_LIBRARY_FUNCTIONS(X)                                                                  \
	X(curl_global_init)                                                                        \
	X(curl_global_cleanup)                                                                     \
	X(curl_easy_init)                                                                          \
	X(curl_easy_cleanup)                                                                       \
	X(curl_easy_setopt)                                                                        \
	X(curl_easy_getinfo)                                                                       \
	X(curl_easy_pause)                                                                         \
	X(curl_easy_perform)                                                                       \
	X(curl_easy_strerror)                                                                      \
	X(curl_easy_send)                                                                          \
	X(curl_easy_recv)                                                                          \
	X(curl_multi_init)                                                                         \
	X(curl_multi_setopt)                                                                       \
	X(curl_multi_cleanup)                                                                      \
	X(curl_multi_add_handle)                                                                   \
	X(curl_multi_remove_handle)                                                                \
	X(curl_multi_perform)                                                                      \
	X(curl_multi_poll)                                                                         \
	X(curl_multi_info_read)                                                                    \
	X(curl_multi_strerror)                                                                     \
	X(curl_slist_append)                                                                       \
	X(curl_slist_free_all)

struct curl_library {
	void *handle;
#define CURL_LIBRARY_MEMBER(name) __typeof__(&(name)) name;
	CURL_LIBRARY_FUNCTIONS(CURL_LIBRARY_MEMBER)
#undef CURL_LIBRARY_MEMBER
};

/* Loads the library into *ret. ERR_SYSTEM with the loader's words and the package to install. */
int curl_library_load(struct curl_library *ret, struct err *err) _must_check_;

#endif
