/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How dae_ask() answers: the rule's number in the low 11 bits, and these. */
#pragma once

#define ASK_RULE 0x7ffU
#define ASK_MUST (1U << 11)
#define ASK_DNS (1U << 12)
#define ASK_ACTION 13 /* two bits, enum dae_action */
#define ASK_GROUP 16  /* eight bits */
#define ASK_HAS_MARK (1U << 24)
#define ASK_VALID (1U << 25)
