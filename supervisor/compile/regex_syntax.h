/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of Perl's syntax is RE2's, too. */
#pragma once

#include <stddef.h>

/* 0, or -EINVAL and @why, one line: RE2 would refuse this pattern, or read it
 * in another way than pcre2. Says nothing about errors that both see. */
int regex_syntax_check(const char *pattern, size_t len, char *why, size_t cap);
