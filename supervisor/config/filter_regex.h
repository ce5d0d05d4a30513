/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The regular expressions of node filters, for regcomp(3). */
#pragma once

#include <regex.h>
#include <stddef.h>

#define FILTER_PATTERN_MAX 256U

/*
 * Compile @pattern (@len bytes), which is written in the dialect that dae takes,
 * into *ret, to be freed by regfree(). 0; -EINVAL: it is malformed; -EOPNOTSUPP:
 * it asks for what we do not have (lookaheads, back references, …); -ENOMEM.
 * *why is the cause, static text. '.' is one byte.
 */
int filter_regex_compile(const char *pattern, size_t len, regex_t *ret,
			 const char **why);
