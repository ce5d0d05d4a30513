/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the daemon. All failures are told here; callers pass the code on. */
#pragma once

#include <jansson.h>

#include "supervisor/ctl/daectl.h"

/*
 * Send one command; @args (NULL: none) is taken. CTL_EXIT_OK and the envelope
 * (schema, generated_at, seq, host, data; the pages of a list joined) in *ret,
 * or another exit code.
 */
int conn_ask(const struct daectl *d, const char *cmd, json_t *args,
	     json_t **ret);
/* The same, each page to @on_page as it comes, without end if the daemon follows
 * events; another code than CTL_EXIT_OK of it ends it. */
int conn_stream(const struct daectl *d, const char *cmd, json_t *args,
		int (*on_page)(void *ctx, json_t *envelope), void *ctx);
/* Like conn_ask(), but silent: for what works without a daemon, too. */
int conn_try(const struct daectl *d, const char *cmd, json_t **ret);
/* The diagnostics of an answer, as the compiler prints them, to stderr. */
void conn_print_diagnostics(const json_t *list);
