/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names to the sets of the rules in force, matched by dae-compile: nothing in
 * this process reads an expression or a list of names. */
#pragma once

#include <stdint.h>

#include "common/ruleset_format.h"

struct matching;
struct supervisor;

/* 0 and the name's sets as the rules in force at this moment number them, or
 * -errno and @why. */
typedef void matching_done(void *ctx, uint64_t token, int r,
			   const struct dae_bitmap *sets, const char *why);

int matching_new(struct matching **ret, struct supervisor *s);
/* Accepts NULL, sets *m to NULL; nobody is answered any more. */
void matching_free(struct matching **m);
/* 0: @done follows, later. -EBUSY, -EINVAL (no name), -ENOENT (no rules). */
int matching_ask(struct matching *m, const char *name, matching_done *done,
		 void *ctx, uint64_t token);
