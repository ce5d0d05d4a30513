/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

int accounts_user(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return errno ? -errno : -ENOENT;
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return 0;
}

gid_t accounts_group(const char *name)
{
	const struct group *g = getgrnam(name);

	return g ? g->gr_gid : (gid_t)-1;
}
