/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per event to stderr: "<N>module: what happened: why (key=value)";
 * the <N> prefix (sd-daemon(3)) only when stderr is the journal. Lower layers
 * return errors; whoever has the context logs, once. Strings from outside are
 * passed through text_clean() by the caller.
 */
#pragma once

#include "common/base.h"

enum log_level { LOGL_ERROR, LOGL_WARN, LOGL_INFO, LOGL_DEBUG, LOGL_TRACE };

/* Messages above this level are dropped; the one exported variable. */
extern enum log_level log_max_level;

/* Once at the start: looks at JOURNAL_STREAM and the environment. */
void log_init(const char *ident);
void log_write(enum log_level level, const char *fmt, ...) DAE_PRINTF(2, 3);
/* Logs the message with strerror(-r), returns @r. */
int log_err_r(int r, const char *fmt, ...) DAE_PRINTF(2, 3);

#define log_error(...) log_write(LOGL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOGL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOGL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOGL_DEBUG, __VA_ARGS__)
