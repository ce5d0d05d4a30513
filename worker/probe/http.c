/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP/1.1 request over a path, on a connection of its own. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "common/clock.h"
#include "worker/net/http1.h"
#include "worker/probe/kinds.h"
#include "worker/probe/path.h"

#define REQUEST_MAX 2048
#define READ_SIZE 4096
#define CLOCK_OFF_S 300 /* a server's Date further away is worth a word */

struct http_probe {
	struct path *path;
	bool is_up, has_begun;
	struct http1 *answer;
	char *request;
	size_t request_len, sent;
};

/* Nothing of the job may end its line or its word in the request. */
static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isgraph((unsigned char)*s))
			return false;
	return true;
}

static int request_build(struct probe *p, struct http_probe *h)
{
	const char *method = p->spec.str[JOB_STR_METHOD];
	const char *path = p->spec.str[JOB_STR_PATH];
	const char *host = p->spec.str[JOB_STR_HOST];
	int n;

	if (!is_token(method) || !is_token(path) || !is_token(host))
		return fail_set(&p->fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
				EINVAL);
	h->request = malloc(REQUEST_MAX);
	if (!h->request)
		return -ENOMEM;
	n = snprintf(h->request, REQUEST_MAX,
		     "%s %s HTTP/1.1\r\nHost: %s\r\n"
		     "User-Agent: dae-supervisor\r\nAccept: */*\r\n"
		     "Connection: close\r\n\r\n",
		     method, path, host);
	if (n < 0 || n >= REQUEST_MAX)
		return fail_set(&p->fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
				EMSGSIZE);
	h->request_len = (size_t)n;
	return http1_new(&h->answer, strcasecmp(method, "HEAD") != 0);
}

/* The host of an absolute URL is not the one we asked. */
static bool leads_elsewhere(const struct probe *p, const char *url)
{
	const char *host = p->spec.str[JOB_STR_HOST];
	const char *at = strstr(url, "://");
	size_t n, ours;

	if (!at || at - url > 5)
		return false; /* relative: the same host */
	at += 3;
	n = strcspn(at, ":/?#");
	ours = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (*at == '[')
		n = strcspn(at, "]") + 1;
	return n != ours || strncasecmp(at, host, n) != 0;
}

/*
 * Somebody on the way answers for the server, to show a page to log in: seen
 * where the answer is not protected, as a redirect to another host, a page
 * in the place of an empty answer, or by the status made for it.
 */
static bool is_portal(const struct probe *p, const struct http1 *a)
{
	uint16_t status = http1_status(a);
	const char *url = http1_header(a, "location");
	const char *type = http1_header(a, "content-type");

	if (p->spec.flags & JOB_TLS && !(p->spec.flags & JOB_INSECURE))
		return false;
	if (status >= 300 && status < 400)
		return url && leads_elsewhere(p, url);
	if (status == 200 && p->spec.status_min == 204 &&
	    p->spec.status_max == 204)
		return type && strncasecmp(type, "text/html", 9) == 0;
	return status == 511;
}

static int judge_status(struct probe *p, const struct http1 *a)
{
	uint16_t status = http1_status(a);
	const char *url = http1_header(a, "location");

	if (status >= p->spec.status_min && status <= p->spec.status_max)
		return 0;
	if (url)
		fail_detail(&p->fail, url, strlen(url));
	return fail_set(&p->fail,
			is_portal(p, a) ? OUTCOME_PORTAL_SUSPECTED
					: OUTCOME_HTTP_STATUS,
			FOREIGN_HTTP_STATUS, status);
}

/* A server that is otherwise well says what the time is: ours may be wrong,
 * which breaks certificates and some protocols of nodes. */
static void note_clock(struct probe *p, const struct http1 *a)
{
	int64_t theirs = http1_date(a), off;
	char text[MSG_DETAIL_MAX];
	int n;

	off = (int64_t)(clock_wall_ns() / NS_PER_S) - theirs;
	if (theirs == 0 || llabs(off) < CLOCK_OFF_S)
		return;
	n = snprintf(text, sizeof(text), "our clock is %lld s %s the server's",
		     llabs(off), off > 0 ? "ahead of" : "behind");
	fail_detail(&p->fail, text, (size_t)n);
}

/* PROBE_GOING: more must come before there is a verdict. */
static int judge(struct probe *p, struct http_probe *h, bool has_ended)
{
	const char *want = p->spec.str[JOB_STR_EXPECT_BODY];
	const uint8_t *body;
	size_t len;
	int r;

	r = judge_status(p, h->answer);
	if (r < 0)
		return r;
	body = http1_body(h->answer, &len);
	if (!*want || (len && memmem(body, len, want, strlen(want)))) {
		note_clock(p, h->answer);
		return PROBE_DONE;
	}
	if (!http1_is_done(h->answer) && !has_ended)
		return PROBE_GOING;
	return fail_set(&p->fail, OUTCOME_BODY_MISMATCH, FOREIGN_HTTP_STATUS,
			http1_status(h->answer));
}

static int closed(struct probe *p, struct http_probe *h)
{
	http1_end(h->answer);
	if (http1_has_head(h->answer))
		return judge(p, h, true);
	return fail_set(&p->fail,
			h->has_begun ? OUTCOME_HTTP_MALFORMED : OUTCOME_CLOSED,
			FOREIGN_NONE, 0);
}

static int wait_for(struct probe *p, struct http_probe *h, ssize_t r)
{
	if (r != -EAGAIN)
		return (int)r;
	return probe_watch(p, 0, stream_wants(path_stream(h->path)));
}

static int read_answer(struct probe *p, struct http_probe *h, uint64_t now_ns)
{
	char buf[READ_SIZE];
	ssize_t n;
	int r;

	for (;;) {
		n = stream_read(path_stream(h->path), buf, sizeof(buf));
		if (n < 0)
			return wait_for(p, h, n);
		if (n == 0)
			return closed(p, h);
		h->has_begun = true;
		probe_phase(p, PHASE_FIRST_BYTE, now_ns);
		n = http1_feed(h->answer, buf, (size_t)n);
		if (n == -ENOMEM)
			return -ENOMEM;
		if (n < 0)
			return fail_set(&p->fail, OUTCOME_HTTP_MALFORMED,
					FOREIGN_NONE, 0);
		r = http1_has_head(h->answer) ? judge(p, h, false)
					      : PROBE_GOING;
		if (r != PROBE_GOING)
			return r;
	}
}

static int step(struct probe *p, uint64_t now_ns)
{
	struct http_probe *h = p->priv;
	ssize_t n;
	int r;

	if (!h->is_up) {
		r = path_step(h->path, now_ns);
		if (r < 0)
			return r == -EAGAIN ? PROBE_GOING : r;
		h->is_up = true;
	}
	while (h->sent < h->request_len) {
		n = stream_write(path_stream(h->path), h->request + h->sent,
				 h->request_len - h->sent);
		if (n < 0)
			return wait_for(p, h, n);
		h->sent += (size_t)n;
		/* its answer is another wake-up, with a time of its own */
		if (h->sent == h->request_len)
			return probe_watch(p, 0, EV_READ);
	}
	return read_answer(p, h, now_ns);
}

static int http_start(struct probe *p, uint64_t now_ns)
{
	struct http_probe *h = calloc(1, sizeof(*h));
	int r;

	p->priv = h;
	if (!h)
		return -ENOMEM;
	r = request_build(p, h);
	if (r == 0)
		r = path_new_stream(&h->path, p, "http/1.1", false);
	return r < 0 ? r : step(p, now_ns);
}

static int http_ready(struct probe *p, int fd DAE_UNUSED, short what DAE_UNUSED,
		      uint64_t now_ns)
{
	return step(p, now_ns);
}

static enum outcome http_timeout(const struct probe *p)
{
	const struct http_probe *h = p->priv;

	return path_timeout_outcome(h->path);
}

static void http_stop(struct probe *p)
{
	struct http_probe *h = TAKE_PTR(p->priv);

	if (!h)
		return;
	path_free(&h->path);
	http1_free(&h->answer);
	free(h->request);
	free(h);
}

const struct probe_ops probe_http_ops = {
	.name = "http",
	.start = http_start,
	.on_ready = http_ready,
	.timeout_outcome = http_timeout,
	.stop = http_stop,
};
