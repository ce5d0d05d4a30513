/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration that goes back to the one before it unless somebody confirms
 * it in time, whatever becomes of this process meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/ctl/ctl.h"

struct confirm;
struct supervisor;

/* Read what an earlier process left in the state directory. 0 or -ENOMEM. */
int confirm_new(struct confirm **ret, struct supervisor *s);
/* Accepts NULL, sets *c to NULL; what is on disk stays. */
void confirm_free(struct confirm **c);
/*
 * At the start: the configuration to begin with, from the file or from what was
 * kept. Results as config_load().
 */
int confirm_load(struct confirm *c, struct config **ret,
		 struct config_diags *diags);

/* Before the swap: keep the files of @running on disk, for @next to go back to
 * after @timeout_ms. 0 or -errno: nothing is kept then. */
int confirm_keep(struct confirm *c, const struct config *running,
		 const struct config *next, uint64_t timeout_ms);
/* The swap failed: as if confirm_keep() had not been called. */
void confirm_undo(struct confirm *c);
/* The swap is done: wait from now on. */
void confirm_wait(struct confirm *c);
/* A configuration from the file is in force, to stay. */
void confirm_settle(struct confirm *c);

/* Somebody waits for a confirmation. */
bool confirm_is_pending(const struct confirm *c);
/* What runs is not what the file says. */
bool confirm_has_gone_back(const struct confirm *c);
uint64_t confirm_left_ms(const struct confirm *c);
/* Parse the files that were kept. */
int confirm_parse(const struct confirm *c, struct config **ret,
		  struct config_diags *diags);
/* What reload_back() came to; it is tried again if it failed. */
void confirm_back_done(struct confirm *c, int r, const char *why);
/* The kept configuration is in force again. */
void confirm_went_back(struct confirm *c);
/* ctl_ops.confirm: keep the new configuration, or go back at once. */
int confirm_answer(void *ctx, bool revert, struct ctl_outcome *res);
