/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as RFC 6455 section 5 and a real API server write them, over a socket pair. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "pkg/net/upgrade.h"
#include "pkg/net/websocket.h"

static int peer;
static struct websocket *websocket;
static struct err err;

static void open_pair(void)
{
	struct upgrade *upgrade = NULL;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	cr_assert_eq(upgrade_adopt(fds[0], &upgrade, &err), 0);
	cr_assert_eq(websocket_adopt(upgrade, &websocket, &err), 0);
	peer = fds[1];
}

static void close_pair(void)
{
	websocket_close(websocket);
	if (peer >= 0)
		close(peer);
}

TestSuite(websocket, .init = open_pair, .fini = close_pair, .timeout = 20);

static void serve(const char *bytes, size_t length)
{
	cr_assert_eq(write(peer, bytes, length), (ssize_t)length);
}

#define SERVE(literal) serve(literal, sizeof(literal) - 1)

static void expect_piece(bool begins, bool ends, const char *text)
{
	struct websocket_piece piece;

	cr_assert_eq(websocket_read(websocket, &piece), IO_OK);
	cr_assert_eq(piece.begins, begins);
	cr_assert_eq(piece.ends, ends);
	cr_assert_eq(piece.length, strlen(text));
	cr_assert_eq(memcmp(piece.bytes, text, piece.length), 0);
}

static void expect_nothing(void)
{
	struct websocket_piece piece;

	cr_assert_eq(websocket_read(websocket, &piece), IO_AGAIN);
}

/* A frame of ours: its opcode, and its payload unmasked into `payload`. The payload's length. */
static size_t receive(int *opcode, char *payload, size_t size)
{
	unsigned char head[2], mask[4], longer[2];
	size_t length;

	cr_assert_eq(recv(peer, head, 2, MSG_WAITALL), 2);
	cr_assert(head[0] & 0x80, "a frame of ours is never a fragment");
	cr_assert(head[1] & 0x80, "a client masks");
	*opcode = head[0] & 15;
	length = head[1] & 127;
	if (length == 126) {
		cr_assert_eq(recv(peer, longer, 2, MSG_WAITALL), 2);
		length = (size_t)longer[0] << 8 | longer[1];
	}
	cr_assert_leq(length, size);
	cr_assert_eq(recv(peer, mask, 4, MSG_WAITALL), 4);
	cr_assert_eq(recv(peer, payload, length, MSG_WAITALL), (ssize_t)length);
	for (size_t i = 0; i < length; i++)
		payload[i] = (char)(payload[i] ^ (char)mask[i % 4]);
	return length;
}

Test(websocket, reads_messages)
{
	SERVE("\x82\x05hello\x82\x01!");
	expect_piece(true, true, "hello");
	expect_piece(true, true, "!");
	expect_nothing();
}

Test(websocket, reads_an_empty_message)
{
	SERVE("\x82\x00\x82\x01x");
	expect_piece(true, true, "");
	expect_piece(true, true, "x");
}

Test(websocket, gives_a_message_in_pieces_as_it_comes)
{
	SERVE("\x82\x06");
	expect_nothing();
	SERVE("abc");
	expect_piece(true, false, "abc");
	expect_nothing();
	SERVE("def");
	expect_piece(false, true, "def");
}

Test(websocket, puts_fragments_together)
{
	SERVE("\x02\x03"
	      "abc"
	      "\x80\x03"
	      "def");
	expect_piece(true, false, "abc");
	expect_piece(false, true, "def");
}

Test(websocket, answers_a_ping_with_its_own_words)
{
	char payload[128];
	int opcode;

	SERVE("\x89\x03"
	      "hb1"
	      "\x82\x01x");
	expect_piece(true, true, "x");
	cr_assert_eq(receive(&opcode, payload, sizeof(payload)), 3);
	cr_assert_eq(opcode, 10);
	cr_assert_eq(memcmp(payload, "hb1", 3), 0);
}

Test(websocket, a_ping_between_the_pieces_of_a_message_is_none_of_them)
{
	SERVE("\x02\x01"
	      "a"
	      "\x89\x00"
	      "\x80\x01"
	      "b");
	expect_piece(true, false, "a");
	expect_piece(false, true, "b");
}

Test(websocket, tells_the_code_of_a_close)
{
	struct websocket_piece piece;

	SERVE("\x88\x02\x03\xe8");
	cr_assert_eq(websocket_read(websocket, &piece), IO_EOF);
	cr_assert_eq(websocket_close_code(websocket), 1000);
	cr_assert_eq(websocket_read(websocket, &piece), IO_EOF);
	cr_assert_eq(websocket_write(websocket, "", 0, "x", 1), IO_EOF);
}

Test(websocket, an_end_without_a_close_is_told_apart)
{
	struct websocket_piece piece;

	close(peer);
	peer = -1;
	cr_assert_eq(websocket_read(websocket, &piece), IO_EOF);
	cr_assert_eq(websocket_close_code(websocket), 0);
}

static void refuses(const char *bytes, size_t length)
{
	struct websocket_piece piece;
	enum io_result result;

	serve(bytes, length);
	while ((result = websocket_read(websocket, &piece)) == IO_OK)
		;
	cr_assert_eq(result, IO_ERROR);
	cr_assert_neq(websocket_error(websocket)[0], '\0');
}

Test(websocket, refuses_a_masked_frame_of_a_server)
{
	refuses("\x82\x81\x01\x02\x03\x04x", 7);
}

Test(websocket, refuses_a_continuation_of_nothing)
{
	refuses("\x80\x01x", 3);
}

Test(websocket, refuses_a_new_message_inside_of_one)
{
	refuses("\x02\x01x\x82\x01y", 6);
}

Test(websocket, refuses_a_long_control_frame)
{
	refuses("\x89\x7e\x00\x80", 4);
}

Test(websocket, sends_head_and_bytes_as_one_masked_frame)
{
	char payload[128];
	int opcode;

	cr_assert_eq(websocket_write(websocket, "\0", 1, "hello", 5), IO_OK);
	cr_assert_eq(receive(&opcode, payload, sizeof(payload)), 6);
	cr_assert_eq(opcode, 2);
	cr_assert_eq(memcmp(payload, "\0hello", 6), 0);
}

/* Until the peer reads, nothing more fits; the message that was begun is not sent twice. */
Test(websocket, a_full_connection_takes_each_message_once)
{
	static char bytes[32768], payload[40000];
	size_t accepted = 0, came = 0;
	enum io_result result;
	int opcode;

	memset(bytes, 'x', sizeof(bytes));
	while ((result = websocket_write(websocket, "\0", 1, bytes, sizeof(bytes))) == IO_OK)
		accepted++;
	cr_assert_eq(result, IO_AGAIN);
	while (accepted < 200) {
		cr_assert_eq(receive(&opcode, payload, sizeof(payload)), sizeof(bytes) + 1);
		came++;
		result = websocket_write(websocket, "\0", 1, bytes, sizeof(bytes));
		cr_assert(result == IO_OK || result == IO_AGAIN);
		accepted += result == IO_OK;
	}
	while (came < accepted) {
		(void)websocket_flush(websocket);
		cr_assert_eq(receive(&opcode, payload, sizeof(payload)), sizeof(bytes) + 1);
		came++;
	}
	cr_assert_eq(recv(peer, payload, 1, MSG_DONTWAIT), websocket_flush(websocket) ? -1 : 1);
}
