/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every file may need: sizes, ownership by scope, small arithmetic. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* Libraries and <sys/param.h> have some that evaluate twice. */
#undef MIN
#undef MAX
#define MIN(a, b)                                                              \
	({                                                                     \
		__typeof__(a) a_ = (a);                                        \
		__typeof__(b) b_ = (b);                                        \
		a_ < b_ ? a_ : b_;                                             \
	})
#define MAX(a, b)                                                              \
	({                                                                     \
		__typeof__(a) x_ = (a);                                        \
		__typeof__(b) y_ = (b);                                        \
		x_ > y_ ? x_ : y_;                                             \
	})
/* The value of @p, which is NULL afterwards: ownership leaves this scope. */
#define TAKE_PTR(p)                                                            \
	({                                                                     \
		__typeof__(p) p_ = (p);                                        \
		(p) = NULL;                                                    \
		p_;                                                            \
	})
#define SWAP(a, b)                                                             \
	({                                                                     \
		__typeof__(a) s_ = (a);                                        \
		(a) = (b);                                                     \
		(b) = s_;                                                      \
	})
#define DAE_UNUSED __attribute__((unused))
#define DAE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Frees the pointer of an auto_free variable at the end of its scope. */
static inline void base_free_ptr(void *pp)
{
	free(*(void **)pp);
}

#define auto_free __attribute__((cleanup(base_free_ptr)))

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL
