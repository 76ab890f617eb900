/* SPDX-License-Identifier: MIT */
#include "reader/ctf_foreign.h"

#include "reader/error.h"

#include <errno.h>

int ctf_foreign_read(const char *path, struct ctf_reading *reading, struct weir_error *err)
{
	(void)reading;
	return weir_err(
	    err, -ENOSYS,
	    "%s holds a trace that weir did not write, and this weir was built without "
	    "libbabeltrace2; install libbabeltrace2-dev and build weir again, or read it "
	    "with babeltrace2",
	    path);
}

int ctf_foreign_check(struct weir_error *err)
{
	return weir_err(err, -ENOSYS, "this weir was built without libbabeltrace2");
}
