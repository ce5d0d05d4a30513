/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that are sound, then anything but: by a seed, again and again alike. */
#pragma once

#include "tests/bpf/rig.h"

/* A frame of a query that @g's rules were made for, with up to three changes:
 * cut anywhere, wrong lengths, options, tags, chains of headers, fragments. */
void mangle_frame(struct rulegen *g, struct frame *f);
/* The same, unharmed. */
void mangle_sound(struct rulegen *g, struct frame *f);
/* Turn the first fragment @f, as it is, into a later one. false: cannot. */
bool mangle_later(struct frame *f);
