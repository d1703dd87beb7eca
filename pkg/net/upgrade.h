/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that begins as an HTTP/1.1 request and goes on as a raw two-way byte stream (RFC
 * 9110 section 7.8; Docker's hijack). libcurl connects (unix socket, TCP, TLS), the head is ours.
 *
 * After upgrade_open the stream never blocks. With TLS, read until IO_AGAIN before polling: records
 * may be buffered inside.
 */
#ifndef ONEOFF_NET_UPGRADE_H
#define ONEOFF_NET_UPGRADE_H

#include "pkg/io/channel.h"
#include "pkg/net/http.h"

struct upgrade;

/* Sends `method path` with the upgrade headers and reads the reply's head. Accepts 101, and 200
 * from servers that do not upgrade but hijack all the same. Any other answer: ERR_REFUSED
 * (ERR_NOT_FOUND for 404) with err->http_status and the body's text in *ret_body, which may be JSON
 * or plain; *ret_body is appended to in that case only. */
int upgrade_open(struct http_client *client, const char *path, int64_t timeout_ms,
                 struct upgrade **ret, struct strbuf *ret_body, struct err *err) _must_check_;

/* The same for a GET whose reply is an endless raw body (container logs): asked as HTTP/1.0, so
 * that the server sends it without chunks and ends it by closing. */
int upgrade_open_body(struct http_client *client, const char *path, int64_t timeout_ms,
                      struct upgrade **ret, struct strbuf *ret_body, struct err *err) _must_check_;

/* The same for a GET over HTTP/1.1 that a 101 must answer, with further header lines, each with its CR LF ("Upgrade: websocket\r\n"…). The
 * answer's head is appended to *ret_head in any case. */
int upgrade_open_get(struct http_client *client, const char *path, const char *lines,
                     int64_t timeout_ms, struct upgrade **ret, struct strbuf *ret_head,
                     struct strbuf *ret_body, struct err *err) _must_check_;

/* The same around a socket that is connected and upgraded already; `fd` is taken on success and made
 * non-blocking. No TLS. */
int upgrade_adopt(int fd, struct upgrade **ret, struct err *err) _must_check_;

int upgrade_fd(const struct upgrade *upgrade);
enum io_result upgrade_read(struct upgrade *upgrade, void *bytes, size_t size, size_t *ret_length);
enum io_result upgrade_write(struct upgrade *upgrade, const void *bytes, size_t length,
                             size_t *ret_written);
/* Ends our direction (shutdown SHUT_WR; Go's TLS takes that for an end of file at a record's end).
 */
enum io_result upgrade_half_close(struct upgrade *upgrade);
/* Words for IO_ERROR. Borrowed. */
const char *upgrade_error(const struct upgrade *upgrade);
/* NULL is fine. */
void upgrade_close(struct upgrade *upgrade);

#endif
