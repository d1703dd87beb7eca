/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the HTTP client: requests (http.c) and what every connection to the target has (http_target.c). */
#ifndef ONEOFF_NET_HTTP_INTERNAL_H
#define ONEOFF_NET_HTTP_INTERNAL_H

#include "pkg/net/http.h"

struct http_client {
	struct curl_library curl;
	struct http_target target;
	struct loop *loop;
	CURLM *multi;
	struct curl_slist *connect_to; /* owned; with a tls_server_name */
	struct http_request *first;    /* under way or done, not yet finished */
};

#endif
