/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer to one HTTP/1.x request, byte by byte and without any socket: its
 * head (bounded), its body in all three framings (kept as far as asked for).
 * Informational answers are passed over. Hostile input.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTP1_HEAD_MAX 16384
#define HTTP1_BODY_MAX 65536
#define HTTP1_INFORMATIONAL_MAX 8

struct http1;

/* @has_body: false for HEAD and CONNECT, whose answers end with their head. */
int http1_new(struct http1 **ret, bool has_body);
/*
 * Take what came. How much of @len belongs to this answer (less than all only
 * once it is done), or -EBADMSG: not HTTP, damaged, or too long; -ENOMEM.
 */
ssize_t http1_feed(struct http1 *h, const void *buf, size_t len);
/* The stream has ended. 0 if that completes the answer, else -EBADMSG. */
int http1_end(struct http1 *h);
bool http1_has_head(const struct http1 *h);
/* The body is complete, or HTTP1_BODY_MAX bytes of it are there. */
bool http1_is_done(const struct http1 *h);
uint16_t http1_status(const struct http1 *h); /* 0: no head yet */
/* Value of the first such header, or NULL; valid as long as @h. */
const char *http1_header(const struct http1 *h, const char *name);
const uint8_t *http1_body(const struct http1 *h, size_t *ret_len);
/* The Date header as unix seconds, 0 if there is none that can be read. */
int64_t http1_date(const struct http1 *h);
/* Accepts NULL, sets *h to NULL. */
void http1_free(struct http1 **h);
