/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_TEST_H
#define WEIR_TESTS_TEST_H

/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
