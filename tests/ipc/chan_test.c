/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/chan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/base.h"
#include "common/fd.h"

/* A channel that accepts what a supervisor sends, and the raw other end. */
struct pair {
	struct event_base *base;
	struct chan *chan;
	int raw;
	unsigned int messages, closes, flushes;
	int error, answer; /* of on_close(); to give in on_message() */
	bool frees, takes;
	struct msg_hdr last;
	size_t last_len;
	int taken;
};

static int on_message(void *arg, const struct chan_in *in)
{
	struct pair *p = arg;

	p->messages++;
	p->last = in->hdr;
	p->last_len = in->len;
	if (p->takes && in->nfds)
		p->taken = TAKE_FD(in->fds[0]);
	if (p->frees)
		chan_free(&p->chan);
	return p->answer;
}

static void on_close(void *arg, int error)
{
	struct pair *p = arg;

	p->closes++;
	p->error = error;
	if (p->frees)
		chan_free(&p->chan);
}

static void on_flushed(void *arg)
{
	struct pair *p = arg;

	p->flushes++;
}

static const struct chan_ops ops = { on_message, on_close, on_flushed };

static void open_pair(struct pair *p, bool from_worker)
{
	int fds[2];

	memset(p, 0, sizeof(*p));
	p->taken = -1;
	p->base = event_base_new();
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	p->raw = fds[1];
	assert_int_equal(chan_new(&p->chan, p->base, fds[0],
				  from_worker ? msg_from_worker
					      : msg_from_supervisor,
				  &ops, p),
			 0);
}

static void close_pair(struct pair *p)
{
	chan_free(&p->chan);
	fd_close_ptr(&p->raw);
	fd_close_ptr(&p->taken);
	event_base_free(p->base);
}

static void turn(struct pair *p)
{
	for (int i = 0; i < 50; i++)
		event_base_loop(p->base, EVLOOP_NONBLOCK);
}

static int send_raw(int fd, const void *buf, size_t len, size_t nfds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(200 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memset(CMSG_DATA(&control.align), 0, nfds * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_type(int fd, uint16_t type, size_t payload, size_t nfds)
{
	uint8_t buf[MSG_MAX + 100] = { type & 0xff, 0, MSG_VERSION, 0, 9 };

	return send_raw(fd, buf, sizeof(struct msg_hdr) + payload, nfds);
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void a_message_arrives_with_its_descriptor(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p, false);
	p.takes = true;
	assert_int_equal(send_type(p.raw, MSG_SETUP, 8, 1), 0);
	turn(&p);
	assert_int_equal(p.messages, 1);
	assert_int_equal(p.last.type, MSG_SETUP);
	assert_int_equal(p.last.request_id, 9);
	assert_int_equal(p.last_len, 8);
	assert_true(fcntl(p.taken, F_GETFD) & FD_CLOEXEC);
	close_pair(&p);
}

static const struct {
	uint16_t type;
	size_t payload, nfds;
	int error;
} refused[] = {
	{ MSG_HELLO, 16, 0, -EPROTO },
	{ MSG_SETUP, 7, 1, -EBADMSG },
	{ MSG_SETUP, 8, 0, -EBADMSG },
	{ MSG_SETUP, 8, 2, -EBADMSG },
	{ MSG_CANCEL, 8, 32, -EBADMSG },
	{ MSG_DRAIN, 0, 33, -EBADMSG },
	{ MSG_DRAIN, 0, 200, -EBADMSG },
	{ MSG_DRAIN, 1, 0, -EBADMSG },
	{ 77, 0, 0, -EPROTO },
	{ MSG_JOBS, MSG_MAX, 1, -EBADMSG },
	{ MSG_JOBS, MSG_MAX + 50, 0, -EBADMSG },
};

/* Whatever it is, the channel ends once, and no descriptor stays. */
static void a_bad_message_ends_the_channel(void **state)
{
	struct pair p;
	int before;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		before = count_fds();
		open_pair(&p, false);
		assert_int_equal(send_type(p.raw, refused[i].type,
					   refused[i].payload, refused[i].nfds),
				 0);
		assert_int_equal(send_type(p.raw, MSG_DRAIN, 0, 0), 0);
		turn(&p);
		assert_int_equal(p.messages, 0);
		assert_int_equal(p.closes, 1);
		if (p.error != refused[i].error)
			print_error("case %zu\n", i);
		assert_int_equal(p.error, refused[i].error);
		assert_true(send_type(p.raw, MSG_DRAIN, 0, 0) < 0);
		close_pair(&p);
		assert_int_equal(count_fds(), before);
	}
}

static void an_empty_record_is_no_message(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p, false);
	assert_int_equal(send_raw(p.raw, "", 0, 0), 0);
	turn(&p);
	assert_int_equal(p.closes, 1);
	close_pair(&p);
	open_pair(&p, false);
	assert_int_equal(send_raw(p.raw, "", 0, 4), 0);
	turn(&p);
	assert_int_equal(p.closes, 1);
	assert_int_equal(p.error, -EBADMSG);
	close_pair(&p);
}

static void the_state_decides_what_may_come(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p, true);
	chan_set_state(p.chan, SLOT_STARTING);
	assert_int_equal(send_type(p.raw, MSG_HELLO, 16, 0), 0);
	turn(&p);
	assert_int_equal(p.messages, 1);
	chan_set_state(p.chan, SLOT_READY);
	assert_int_equal(send_type(p.raw, MSG_HELLO, 16, 0), 0);
	turn(&p);
	assert_int_equal(p.messages, 1);
	assert_int_equal(p.error, -EPROTO);
	close_pair(&p);
}

static void a_handler_may_end_or_free_it(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p, false);
	p.answer = -EXDEV;
	send_type(p.raw, MSG_DRAIN, 0, 0);
	send_type(p.raw, MSG_DRAIN, 0, 0);
	turn(&p);
	assert_int_equal(p.messages, 1);
	assert_int_equal(p.error, -EXDEV);
	close_pair(&p);
	open_pair(&p, false);
	p.frees = true;
	send_type(p.raw, MSG_DRAIN, 0, 0);
	send_type(p.raw, MSG_DRAIN, 0, 0);
	turn(&p);
	assert_int_equal(p.messages, 1);
	assert_int_equal(p.closes, 0);
	assert_null(p.chan);
	close_pair(&p);
	open_pair(&p, false);
	p.frees = true;
	fd_close_ptr(&p.raw);
	turn(&p);
	assert_int_equal(p.closes, 1);
	assert_null(p.chan);
	close_pair(&p);
}

/* A slow peer: messages wait, in order, up to the limit; then -ENOBUFS. */
static void the_queue_is_bounded(void **state)
{
	static uint8_t payload[16384], buf[MSG_MAX];
	struct chan_out out = { .type = MSG_JOBS,
				.payload = payload,
				.len = sizeof(payload) };
	uint32_t sent = 0, seen = 0, id;
	struct pair p;
	int r = 0, before, fd;

	(void)state;
	open_pair(&p, true);
	before = count_fds();
	while (r == 0) {
		out.request_id = ++sent;
		fd = dup(0);
		out.fds = &fd;
		out.nfds = 1;
		r = chan_send(p.chan, &out);
		if (r < 0)
			close(fd); /* still ours */
	}
	sent--;
	assert_int_equal(r, -ENOBUFS);
	assert_true(sent >= CHAN_QUEUE_MAX);
	assert_true(chan_is_backlogged(p.chan));
	assert_int_equal(count_fds(), before + CHAN_QUEUE_MAX);
	while (seen < sent) {
		turn(&p);
		if (recv(p.raw, buf, sizeof(buf), MSG_DONTWAIT) < 8)
			break;
		memcpy(&id, buf + 4, 4);
		assert_int_equal(id, ++seen);
	}
	turn(&p);
	assert_int_equal(seen, sent);
	assert_false(chan_is_backlogged(p.chan));
	assert_true(p.flushes > 0);
	assert_int_equal(count_fds(), before);
	close_pair(&p);
}

static void freeing_drops_what_waits(void **state)
{
	static uint8_t payload[16384];
	struct chan_out out = { .type = MSG_JOBS,
				.payload = payload,
				.len = sizeof(payload),
				.nfds = 1 };
	int before = count_fds(), fd;
	struct pair p;

	(void)state;
	open_pair(&p, true);
	for (int i = 0; i < 40; i++) {
		fd = dup(0);
		out.fds = &fd;
		assert_int_equal(chan_send(p.chan, &out), 0);
	}
	close_pair(&p);
	assert_int_equal(count_fds(), before);
}

static void what_cannot_be_sent_is_refused(void **state)
{
	static uint8_t payload[MSG_MAX];
	struct chan_out out = { .type = MSG_JOBS, .payload = payload };
	struct pair p;

	(void)state;
	open_pair(&p, true);
	out.len = MSG_MAX - sizeof(struct msg_hdr) + 1;
	assert_int_equal(chan_send(p.chan, &out), -EMSGSIZE);
	out.len = 8;
	out.nfds = MSG_FDS_MAX + 1;
	assert_int_equal(chan_send(p.chan, &out), -EMSGSIZE);
	out.nfds = 0;
	fd_close_ptr(&p.raw);
	assert_int_equal(chan_send(p.chan, &out), -EPIPE);
	turn(&p);
	assert_int_equal(p.closes, 1);
	assert_int_equal(chan_send(p.chan, &out), -EPIPE);
	close_pair(&p);
}

/* It died with messages of ours unread: what it had said is still read. */
static void last_words_are_heard(void **state)
{
	struct chan_out out = { .type = MSG_DRAIN };
	struct pair p;

	(void)state;
	open_pair(&p, true);
	chan_set_state(p.chan, SLOT_READY);
	assert_int_equal(chan_send(p.chan, &out), 0);
	for (int i = 0; i < 30; i++)
		assert_int_equal(send_type(p.raw, MSG_HEARTBEAT, 32, 0), 0);
	fd_close_ptr(&p.raw);
	chan_read_rest(p.chan);
	assert_int_equal(p.messages, 30);
	assert_int_equal(chan_received(p.chan), 30);
	assert_int_equal(p.closes, 1);
	assert_int_equal(p.error, 0);
	chan_read_rest(p.chan);
	assert_int_equal(p.closes, 1);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_with_its_descriptor),
		cmocka_unit_test(a_bad_message_ends_the_channel),
		cmocka_unit_test(an_empty_record_is_no_message),
		cmocka_unit_test(the_state_decides_what_may_come),
		cmocka_unit_test(a_handler_may_end_or_free_it),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(freeing_drops_what_waits),
		cmocka_unit_test(what_cannot_be_sent_is_refused),
		cmocka_unit_test(last_words_are_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
