/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message for people, filled where the failure is known. */
#pragma once

#include "common/base.h"
#include "supervisor/datapath/datapath.h"

/* Fill *e (may be NULL) with the text, the meaning of @r (-errno) and what
 * libbpf said last; returns @r. */
int error_set(struct datapath_error *e, int r, const char *fmt, ...)
	DAE_PRINTF(3, 4);
/* The same without errno's text and libbpf's. */
int error_text(struct datapath_error *e, int r, const char *fmt, ...)
	DAE_PRINTF(3, 4);
/* Have libbpf talk to us instead of stderr. */
void error_capture_libbpf(void);
