/* SPDX-License-Identifier: MIT */
/* Output that does not arrive is a failure that is told, once, for all commands. */
#ifndef WEIR_CLI_STDOUT_H
#define WEIR_CLI_STDOUT_H

/* If descriptors 0 to 2 are closed, no file that is opened later may get their numbers. */
void stdout_begin(void);

/* The exit status of a command that ends with `status`: not 0 if its output was not written. */
int stdout_end(int status);

#endif
