/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the daemon: health, selection, admin, quarantine, budget, as a
 * versioned byte image with a checksum. Targets are told by identity, groups by
 * name. Decoding checks the whole image before anything is applied.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/budget.h"
#include "supervisor/core/group.h"
#include "supervisor/core/quarantine.h"
#include "supervisor/core/target.h"

#define STATE_VERSION 1
#define STATE_MAX (64U << 20) /* bytes of an image */

/* Borrowed parts; the same for both directions. */
struct state_parts {
	struct target_table *targets;
	struct group *groups;
	size_t group_count;
	struct quarantine *quarantine;
	struct budget *budget;
};

struct state_clock {
	uint64_t mono_ns;
	int64_t wall_s;
};

/*
 * Write an image into a buffer of its own. *ret (free() it) and *ret_len are
 * written on success only. -ENOMEM, -EMSGSIZE.
 */
int state_encode(const struct state_parts *p, const struct state_clock *now,
		 uint8_t **ret, size_t *ret_len);
/* -EBADMSG if anything in it is damaged, -EPROTONOSUPPORT for its version. */
int state_check(const void *buf, size_t len);
/*
 * Check, then apply what still exists. Ages are kept by wall time, bounded by
 * now. Nothing is touched unless the whole image is good. Errors as above,
 * -ENOMEM.
 */
int state_restore(const void *buf, size_t len, const struct state_parts *p,
		  const struct state_clock *now);
