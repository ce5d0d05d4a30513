/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/ctl_proto.h"
#include "common/fd.h"
#include "supervisor/ctl/ctl_conn.h"
#include "supervisor/ctl/ctl_dispatch.h"

#define PAUSE_S 1 /* without descriptors: try again after */
#define GROUPS_MAX 256

struct ctl_server {
	struct ctl_conn_env env;
	struct ctl_conn *conns[CTL_CLIENTS_MAX];
	struct event *accept_event, *pause_timer;
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* ours */
	gid_t admin;
	uint64_t last_id;
};

static void on_gone(void *owner, struct ctl_conn *c)
{
	struct ctl_server *s = owner;

	if (s->env.ops->gone)
		s->env.ops->gone(s->env.ctx, ctl_conn_id(c));
	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++)
		if (s->conns[i] == c)
			s->conns[i] = NULL;
}

static unsigned int open_for(const struct ctl_server *s, uid_t uid)
{
	unsigned int n = 0;

	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++)
		if (s->conns[i] && ctl_conn_uid(s->conns[i]) == uid)
			n++;
	return n;
}

static struct ctl_conn **free_place(struct ctl_server *s)
{
	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++)
		if (!s->conns[i])
			return &s->conns[i];
	return NULL;
}

static bool is_in_group(int fd, const struct ucred *peer, gid_t group)
{
	gid_t gids[GROUPS_MAX];
	socklen_t len = sizeof(gids);

	if (group == CTL_NO_GID)
		return false;
	if (peer->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &len) < 0)
		return false; /* more groups than we look at: no right */
	for (size_t i = 0; i < len / sizeof(gids[0]); i++)
		if (gids[i] == group)
			return true;
	return false;
}

/* One last frame for somebody who cannot be served; never waits. */
static void turn_away(int fd, const char *why)
{
	struct ctl_call call = { 0 };
	auto_free char *text = NULL;
	uint8_t header[CTL_HEADER_LEN];
	size_t len = 0;
	ssize_t n;

	ctl_fail(&call, -EUSERS, "close other daectl of this user first", "%s",
		 why);
	text = ctl_call_format(&call, 0, -EUSERS, &len);
	if (!text || ctl_frame_begin(header, len) < 0)
		return;
	n = send(fd, header, sizeof(header), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == (ssize_t)sizeof(header))
		n = send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)n; /* it is told if it can be told */
}

static int admit(struct ctl_server *s, int fd)
{
	struct ctl_conn **place = free_place(s);
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct ctl_peer peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	if (!place || open_for(s, cred.uid) >= CTL_PER_UID_MAX) {
		turn_away(fd, "too many connections");
		return -EUSERS;
	}
	peer.uid = cred.uid;
	peer.may_write = cred.uid == 0 || is_in_group(fd, &cred, s->admin);
	peer.id = ++s->last_id;
	return ctl_conn_new(place, &s->env, fd, &peer);
}

static void on_accept(evutil_socket_t lfd, short what DAE_UNUSED, void *arg)
{
	static const struct timeval pause = { .tv_sec = PAUSE_S };
	struct ctl_server *s = arg;
	auto_fd int fd = -1;

	fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		if (admit(s, fd) == 0)
			(void)TAKE_FD(fd);
		return;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		event_del(s->accept_event);
		event_add(s->pause_timer, &pause);
	}
}

static void on_pause_over(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			  void *arg)
{
	struct ctl_server *s = arg;

	event_add(s->accept_event, NULL);
}

/* Does somebody answer there? */
static bool is_served(const struct sockaddr_un *sa)
{
	auto_fd int fd = -1;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	return connect(fd, (const void *)sa, sizeof(*sa)) == 0 ||
	       errno == EAGAIN;
}

static int bind_socket(int fd, const struct sockaddr_un *sa, mode_t mode)
{
	mode_t old;
	int r;

	/* the mode is right from the first moment, or narrower */
	old = umask(0777 & ~mode);
	r = bind(fd, (const void *)sa, sizeof(*sa));
	r = r < 0 ? -errno : 0;
	umask(old);
	return r;
}

static int make_socket(struct ctl_server *s, const struct ctl_server_options *o)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t mode = o->mode ? o->mode : 0660;
	auto_fd int fd = -1;
	int r;

	if (strlen(o->path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, o->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_socket(fd, &sa, mode);
	if (r == -EADDRINUSE && !is_served(&sa)) {
		if (unlink(o->path) < 0)
			return -errno;
		r = bind_socket(fd, &sa, mode);
	}
	if (r < 0)
		return r;
	strcpy(s->path, o->path);
	r = ctl_access_allow(o->path, o->group, o->admin);
	if (r < 0)
		return r;
	if (listen(fd, 16) < 0)
		return -errno;
	s->fd = TAKE_FD(fd);
	return 0;
}

static uint32_t or_default(uint32_t ms, uint32_t otherwise)
{
	return ms ? ms : otherwise;
}

static int setup(struct ctl_server *s, struct event_base *base,
		 const struct ctl_server_options *o)
{
	int r;

	if (o->listen_fd >= 0) {
		s->fd = o->listen_fd;
		r = fd_set_nonblock(s->fd);
	} else {
		r = make_socket(s, o);
	}
	if (r < 0)
		return r;
	s->accept_event = event_new(base, s->fd, EV_READ | EV_PERSIST,
				    on_accept, s);
	s->pause_timer = evtimer_new(base, on_pause_over, s);
	if (!s->accept_event || !s->pause_timer ||
	    event_add(s->accept_event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int ctl_server_new(struct ctl_server **ret, struct event_base *base,
		   const struct ctl_server_options *o,
		   const struct ctl_ops *ops, void *ctx)
{
	auto_ctl_server struct ctl_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->admin = o->admin;
	s->env = (struct ctl_conn_env){
		.base = base,
		.ops = ops,
		.ctx = ctx,
		.frame_timeout_ms = or_default(o->frame_timeout_ms, 5000),
		.write_timeout_ms = or_default(o->write_timeout_ms, 10000),
		.idle_timeout_ms = or_default(o->idle_timeout_ms, 60000),
		.on_gone = on_gone,
		.owner = s,
	};
	r = setup(s, base, o);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void ctl_server_free(struct ctl_server **s)
{
	struct ctl_server *x = *s;

	if (!x)
		return;
	*s = NULL;
	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++)
		ctl_conn_free(&x->conns[i]);
	if (x->accept_event)
		event_free(x->accept_event);
	if (x->pause_timer)
		event_free(x->pause_timer);
	fd_close_ptr(&x->fd);
	if (x->path[0])
		unlink(x->path);
	free(x);
}

void ctl_server_notify(struct ctl_server *s)
{
	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++)
		if (s->conns[i])
			ctl_conn_notify(s->conns[i]);
}

void ctl_server_notify_one(struct ctl_server *s, uint64_t ticket)
{
	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++) {
		if (s->conns[i] && ctl_conn_id(s->conns[i]) == ticket) {
			ctl_conn_notify(s->conns[i]);
			return;
		}
	}
}

void ctl_server_probe_done(struct ctl_server *s, uint64_t ticket,
			   const struct ctl_probe_answer *answers, size_t count)
{
	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++) {
		if (s->conns[i] && ctl_conn_id(s->conns[i]) == ticket) {
			ctl_conn_probe_done(s->conns[i], answers, count);
			return;
		}
	}
}

void ctl_server_resume(struct ctl_server *s, struct ctl_outcome *later)
{
	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++) {
		if (s->conns[i] && ctl_conn_id(s->conns[i]) == later->ticket) {
			ctl_conn_resume(s->conns[i], later);
			break;
		}
	}
	config_diags_clear(&later->diags);
}

unsigned int ctl_server_clients(const struct ctl_server *s)
{
	unsigned int n = 0;

	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++)
		n += s->conns[i] != NULL;
	return n;
}
