/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything daectl writes: messages, JSON, tables. Strings of others pass
 * text_clean() here, however they came. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "supervisor/ctl/daectl.h"

#define OUT_TEXT 512

/* "daectl: …" to stderr; returns CTL_EXIT_USAGE. */
int out_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same for any failure, with a hint line (NULL: none); returns @code. */
int out_fail(int code, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void out_hint(const char *hint);
/* Several lines, each cleaned. */
void out_lines(FILE *f, const char *text);
/* @src as it may be shown in this locale; returns @dst. */
const char *out_clean(char *dst, size_t cap, const char *src);
const char *out_bullet(void);
/* A line of clean text on stdout. */
void out_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_client_version(void);

/* Write the envelope as --json asks. 0 or CTL_EXIT_FAILED. */
int out_json(const struct daectl *d, json_t *envelope);
/* One value on one line. */
int out_line(const json_t *j);
/* An envelope for what daectl itself found out; takes @data, never NULL data. */
json_t *out_envelope(const char *schema, json_t *data);
bool out_is_json(const struct daectl *d);
/* Flush stdout: a full disk or a closed pipe is a failure. An exit code. */
int out_finish(int code);

/* For people; each returns @buf, OUT_TEXT bytes; "-" for null. */
const char *out_us(const json_t *us, char *buf);       /* "38ms" */
const char *out_bytes(const json_t *bytes, char *buf); /* "6.1 MiB" */
const char *out_span(uint64_t us, char *buf);	       /* "3d 04h" */
/* Since this RFC 3339 time until @now (another one), as a span. */
const char *out_since(const json_t *then, const json_t *now, char *buf);

/* The strings of an array with @between them; "-" if there is none. */
const char *out_join(const json_t *list, const char *between, char *buf);

/* Fields of objects; "" and 0 for what is not there. */
const char *out_str(const json_t *o, const char *key);
int64_t out_int(const json_t *o, const char *key);
bool out_bool(const json_t *o, const char *key);

/* Escape sequences, empty without colour. */
enum out_color {
	COLOR_NONE,
	COLOR_GOOD,
	COLOR_WARN,
	COLOR_BAD,
	COLOR_DIM,
	COLOR_BOLD
};
const char *out_color(const struct daectl *d, enum out_color c);
enum out_color out_state_color(const char *state);
