/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LIB_DECLARE_H
#define WEIR_LIB_DECLARE_H

/*
 * declare.c's lock on its list, for the library's pthread_atfork handlers: prepare takes it (before
 * weir_lock), parent and child let it go (after weir_lock).
 */
void declare_fork_prepare(void);
void declare_fork_parent(void);
void declare_fork_child(void);

#endif
