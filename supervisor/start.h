/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a running loop to the first rules in force. */
#pragma once

struct supervisor;

/*
 * Compile the first rules; when they are in force s->is_ready is set and the
 * service manager told. If they cannot be, the loop ends with s->start_error:
 * what an earlier process left in the kernel runs on. 0 or -errno.
 */
int start_begin(struct supervisor *s);
