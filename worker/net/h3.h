/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One HTTP/3 request on a QUIC connection of its own (nghttp3). The body of the
 * answer is kept up to H3_BODY_MAX bytes; the rest is counted and dropped.
 */
#pragma once

#include "worker/net/quic.h"

#define H3_BODY_MAX 65536
#define H3_NO_ERROR 0x100 /* RFC 9114 section 8.1 */

struct h3;

struct h3_request {
	const char *method; /* HEAD, GET or POST */
	const char *authority, *path;
	const char *content_type; /* of the body; also as "accept" */
	const uint8_t *body;	  /* borrowed until the request is over */
	size_t body_len;
	bool wants_body; /* else the answer is done with its status */
};

struct h3_answer {
	uint16_t status;       /* 0: none yet */
	bool is_done;	       /* whole, or as much of it as was wanted */
	bool is_overlong;      /* more body than H3_BODY_MAX */
	char content_type[64]; /* "" if none; cut if longer */
	const uint8_t *body;
	size_t body_len;
};

/* What quic_new() wants as app, with the h3 as arg. */
extern const struct quic_app h3_quic_app;

/* Strings and body of @req are borrowed. The request is sent as soon as the
 * connection opens. */
int h3_new(struct h3 **ret, const struct h3_request *req, struct fail *fail,
	   struct memacct *mem);
/* The connection it runs on; to be set before anything is read. */
void h3_attach(struct h3 *h, struct quic *q);
/* The answer so far. */
const struct h3_answer *h3_answer(const struct h3 *h);
/* Before the connection is freed. Accepts NULL, sets *h to NULL. */
void h3_free(struct h3 **h);
