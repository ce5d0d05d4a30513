/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_access.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "common/base.h"

#define READ_WRITE (ACL_READ | ACL_WRITE)

/* As the kernel wants it: entries by tag, none twice. */
struct access_list {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[5];
};

static struct posix_acl_xattr_entry entry(uint16_t tag, uint16_t perm,
					  uint32_t id)
{
	return (struct posix_acl_xattr_entry){
		.e_tag = htole16(tag),
		.e_perm = htole16(perm),
		.e_id = htole32(id),
	};
}

static int allow_second(const char *path, gid_t admin)
{
	const uint32_t nobody = (uint32_t)ACL_UNDEFINED_ID;
	struct access_list list = {
		.header.a_version = htole32(POSIX_ACL_XATTR_VERSION),
	};
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	list.entries[0] = entry(ACL_USER_OBJ, READ_WRITE, nobody);
	list.entries[1] = entry(ACL_GROUP_OBJ, READ_WRITE, nobody);
	list.entries[2] = entry(ACL_GROUP, READ_WRITE, admin);
	list.entries[3] = entry(ACL_MASK, READ_WRITE, nobody);
	list.entries[4] = entry(ACL_OTHER, st.st_mode & 7, nobody);
	if (setxattr(path, "system.posix_acl_access", &list, sizeof(list), 0) <
		    0 &&
	    errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

int ctl_access_allow(const char *path, gid_t group, gid_t admin)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	/* under the unit it is ours already, and chown() not permitted */
	if (group != CTL_NO_GID && st.st_gid != group &&
	    chown(path, (uid_t)-1, group) < 0)
		return -errno;
	if (admin == CTL_NO_GID || admin == group)
		return 0;
	return allow_second(path, admin);
}
