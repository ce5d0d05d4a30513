/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/ctl_proto.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "supervisor/config/config_diag.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_out.h"

#define REQUEST_ID 1
#define DIAG_TEXT_MAX 4096

struct conn {
	const struct daectl *d;
	bool is_silent;
	int fd;
};

#define SAY(c, code, hint, ...)                                                \
	((c)->is_silent ? (code) : out_fail((code), (hint), __VA_ARGS__))

static int explain_connect(const struct conn *c, int error)
{
	const char *path = c->d->socket;

	if (error == EACCES || error == EPERM)
		return SAY(c, CTL_EXIT_DENIED,
			   "run it as root, or join the group _dae (to look) "
			   "or _dae-admin (to change)",
			   "may not connect to %s", path);
	if (error == ENOENT || error == ECONNREFUSED)
		return SAY(c, CTL_EXIT_NOT_RUNNING,
			   "is dae-supervisor running? (systemctl status "
			   "dae-supervisor)",
			   "cannot connect to %s: %s", path, strerror(error));
	return SAY(c, CTL_EXIT_NOT_RUNNING, NULL, "cannot connect to %s: %s",
		   path, strerror(error));
}

static int conn_open(struct conn *c)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (strlen(c->d->socket) >= sizeof(sa.sun_path))
		return SAY(c, CTL_EXIT_USAGE, NULL, "socket path too long");
	strcpy(sa.sun_path, c->d->socket);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const void *)&sa, sizeof(sa)) < 0)
		return explain_connect(c, errno);
	return CTL_EXIT_OK;
}

static int send_all(struct conn *c, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	ssize_t n;

	while (len > 0) {
		n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return CTL_EXIT_OK; /* it may have said why */
		if (n < 0)
			return SAY(c, CTL_EXIT_FAILED, NULL, "cannot send: %s",
				   strerror(errno));
		p += n;
		len -= (size_t)n;
	}
	return CTL_EXIT_OK;
}

static int send_request(struct conn *c, const char *cmd, json_t *args)
{
	uint8_t header[CTL_HEADER_LEN];
	auto_json json_t *j = NULL;
	auto_free char *text = NULL;
	int r;

	j = json_pack("{s:i, s:i, s:s, s:o}", "v", CTL_PROTO_VERSION, "id",
		      REQUEST_ID, "cmd", cmd, "args",
		      args ? args : json_object());
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	if (!text || ctl_frame_begin(header, strlen(text)) < 0)
		return SAY(c, CTL_EXIT_USAGE, NULL,
			   "an argument is not valid text, or too long");
	r = send_all(c, header, sizeof(header));
	return r ? r : send_all(c, text, strlen(text));
}

static int explain_eof(const struct conn *c, ssize_t n)
{
	if (n < 0)
		return SAY(c, CTL_EXIT_FAILED, NULL, "cannot read: %s",
			   strerror(errno));
	return SAY(c, CTL_EXIT_FAILED, "see the log of dae-supervisor",
		   "the daemon closed the connection");
}

/* Exactly @len bytes, until @end_ns (UINT64_MAX: for ever). */
static int read_all(struct conn *c, void *buf, size_t len, uint64_t end_ns)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	uint8_t *at = buf;
	uint64_t now;
	int wait = -1;
	ssize_t n;

	while (len > 0) {
		now = clock_mono_ns();
		if (end_ns != UINT64_MAX)
			wait = now >= end_ns
				       ? 0
				       : (int)((end_ns - now) / NS_PER_MS) + 1;
		if (poll(&p, 1, wait) == 0)
			return SAY(c, CTL_EXIT_TIMEOUT,
				   "--timeout allows for more",
				   "no answer within the time");
		n = recv(c->fd, at, len, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return explain_eof(c, n);
		at += n;
		len -= (size_t)n;
	}
	return CTL_EXIT_OK;
}

static int read_frame(struct conn *c, uint64_t end_ns, json_t **ret)
{
	uint8_t header[CTL_HEADER_LEN];
	auto_free char *text = NULL;
	json_error_t err;
	ssize_t len;
	int r;

	r = read_all(c, header, sizeof(header), end_ns);
	if (r != CTL_EXIT_OK)
		return r;
	len = ctl_frame_len(header, sizeof(header));
	text = len > 0 ? malloc((size_t)len) : NULL;
	if (!text)
		return SAY(c, CTL_EXIT_VERSION, NULL,
			   "the other side does not speak our protocol");
	r = read_all(c, text, (size_t)len, end_ns);
	if (r != CTL_EXIT_OK)
		return r;
	*ret = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, &err);
	if (!*ret)
		return SAY(c, CTL_EXIT_VERSION, NULL,
			   "the answer is no JSON: %s", err.text);
	return CTL_EXIT_OK;
}

static int exit_of(const char *code)
{
	static const struct {
		const char *code;
		int exit;
	} exits[] = {
		{ "ENOENT", CTL_EXIT_NOT_FOUND },
		{ "EACCES", CTL_EXIT_DENIED },
		{ "EINVAL", CTL_EXIT_USAGE },
		{ "ECONFIG", CTL_EXIT_CONFIG },
		{ "ETIMEDOUT", CTL_EXIT_TIMEOUT },
		{ "EPROTO", CTL_EXIT_VERSION },
		{ "ENOSYS", CTL_EXIT_VERSION },
	};

	for (size_t i = 0; i < ARRAY_LEN(exits); i++)
		if (strcmp(exits[i].code, code) == 0)
			return exits[i].exit;
	return CTL_EXIT_FAILED;
}

static char *borrow(const json_t *o, const char *key)
{
	return (char *)json_string_value(json_object_get(o, key));
}

void conn_print_diagnostics(const json_t *list)
{
	char text[DIAG_TEXT_MAX];
	struct config_diag d;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		d = (struct config_diag){
			.severity = !strcmp(out_str(one, "severity"), "error")
					    ? DIAG_ERROR
					    : DIAG_WARNING,
			.path = borrow(one, "file"),
			.line = (uint32_t)out_int(one, "line"),
			.column = (uint32_t)out_int(one, "column"),
			.message = borrow(one, "message"),
			.hint = borrow(one, "hint"),
			.source = borrow(one, "source"),
			.caret = (uint32_t)out_int(one, "caret"),
			.caret_len = (uint32_t)out_int(one, "caret_len"),
		};
		if (!d.path || !d.message)
			continue;
		config_diag_format(&d, text, sizeof(text));
		out_lines(stderr, text);
	}
}

/* What the daemon refuses, it explains. */
static int explain_error(const struct conn *c, const json_t *reply)
{
	const json_t *e = json_object_get(reply, "error");

	if (c->is_silent)
		return exit_of(out_str(e, "code"));
	out_fail(0, NULL, "%s", out_str(e, "message"));
	conn_print_diagnostics(json_object_get(e, "diagnostics"));
	out_hint(out_str(e, "hint"));
	return exit_of(out_str(e, "code"));
}

static int check_reply(const struct conn *c, json_t *reply)
{
	if (out_int(reply, "v") != CTL_PROTO_VERSION)
		return SAY(c, CTL_EXIT_VERSION,
			   "daectl and dae-supervisor are of two versions; "
			   "restart the daemon after an upgrade",
			   "the daemon speaks version %d of the protocol",
			   (int)out_int(reply, "v"));
	if (!out_bool(reply, "ok"))
		return explain_error(c, reply);
	json_object_del(reply, "v");
	json_object_del(reply, "id");
	json_object_del(reply, "ok");
	return CTL_EXIT_OK;
}

static int run(struct conn *c, const char *cmd, json_t *args,
	       int (*on_page)(void *, json_t *), void *ctx)
{
	uint64_t wait_ns = c->d->timeout_ms * NS_PER_MS, end_ns;
	bool more = true, follow;
	int r;

	follow = json_is_true(json_object_get(args, "follow"));
	r = conn_open(c);
	if (r != CTL_EXIT_OK) {
		json_decref(args);
		return r;
	}
	r = send_request(c, cmd, args);
	while (r == CTL_EXIT_OK && more) {
		auto_json json_t *reply = NULL;

		end_ns = follow ? UINT64_MAX : clock_mono_ns() + wait_ns;
		r = read_frame(c, end_ns, &reply);
		if (r == CTL_EXIT_OK)
			r = check_reply(c, reply);
		if (r != CTL_EXIT_OK)
			break;
		more = out_bool(reply, "more");
		json_object_del(reply, "more");
		r = on_page(ctx, reply);
	}
	return r;
}

int conn_stream(const struct daectl *d, const char *cmd, json_t *args,
		int (*on_page)(void *ctx, json_t *envelope), void *ctx)
{
	struct conn c = { .d = d, .fd = -1 };
	int r = run(&c, cmd, args, on_page, ctx);

	fd_close_ptr(&c.fd);
	return r;
}

/* The pages of a list, or of the members of a group. */
static int join_page(void *ctx, json_t *page)
{
	json_t **all = ctx, *to, *from;

	if (!*all) {
		*all = json_incref(page);
		return CTL_EXIT_OK;
	}
	to = json_object_get(*all, "data");
	from = json_object_get(page, "data");
	if (json_is_object(to)) {
		to = json_object_get(to, "members");
		from = json_object_get(from, "members");
	}
	json_array_extend(to, from);
	return CTL_EXIT_OK;
}

static int ask(const struct daectl *d, const char *cmd, json_t *args,
	       bool silent, json_t **ret)
{
	struct conn c = { .d = d, .fd = -1, .is_silent = silent };
	json_t *all = NULL;
	int r;

	r = run(&c, cmd, args, join_page, &all);
	fd_close_ptr(&c.fd);
	if (r == CTL_EXIT_OK)
		*ret = TAKE_PTR(all);
	json_decref(all);
	return r;
}

int conn_ask(const struct daectl *d, const char *cmd, json_t *args,
	     json_t **ret)
{
	return ask(d, cmd, args, false, ret);
}

int conn_try(const struct daectl *d, const char *cmd, json_t **ret)
{
	return ask(d, cmd, NULL, true, ret);
}
