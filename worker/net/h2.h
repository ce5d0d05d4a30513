/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP/2 request on a stream that stands (nghttp2). The body of the answer
 * is kept up to H2_BODY_MAX bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "worker/net/memacct.h"
#include "worker/net/stream.h"

#define H2_BODY_MAX 65536

struct h2;

struct h2_request { /* all borrowed until h2_free() */
	const char *authority, *path;
	const char *content_type; /* also as "accept" */
	const uint8_t *body;	  /* sent by POST */
	size_t body_len;
};

/* @s, its fail, and @mem are borrowed. 0, -ENOMEM, or failed. */
int h2_new(struct h2 **ret, struct stream *s, const struct h2_request *req,
	   struct memacct *mem);
/* Move it on. 0 the answer is complete, -EAGAIN, or failed. */
int h2_step(struct h2 *h);
/* What -EAGAIN waits for on the socket. */
short h2_wants(const struct h2 *h);
uint16_t h2_status(const struct h2 *h);		 /* 0: none yet */
const char *h2_content_type(const struct h2 *h); /* "" if none */
const uint8_t *h2_body(const struct h2 *h, size_t *ret_len);
/* Accepts NULL, sets *h to NULL. */
void h2_free(struct h2 **h);
