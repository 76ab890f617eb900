#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes include/weir/each.h: the loops over arguments that the preprocessor does not have.

The header is committed, since it is installed and read by people; the unit suite compares it with
what this script writes.
"""

FIELDS_MAX = 12
ARGS_MAX = 24
FIRE_MAX = 31  # more than ARGS_MAX, so that a few too many still get the right message

HEAD = """\
/* SPDX-License-Identifier: MIT */
/* Loops for <weir/probe.h>, written by scripts/gen-probe.py. */
#ifndef WEIR_EACH_H
#define WEIR_EACH_H

/* clang-format off */

/*
 * WEIR_EACH_<n+1>_(m, none, f1, ..., fn, end): `m f1, m f2, ...`, or `none` without any. With more
 * than %d (a head and %d fields) it is `none` too: the caller asserts the number.
 */
""" % (FIELDS_MAX + 1, FIELDS_MAX)


def main():
    out = HEAD
    out += "#define WEIR_EACH_1_(m, none, end) none\n"
    out += "#define WEIR_EACH_2_(m, none, f, end) m f\n"
    for n in range(2, FIELDS_MAX + 2):
        out += f"#define WEIR_EACH_{n + 1}_(m, none, f, ...) m f, WEIR_EACH_{n}_(m, none, __VA_ARGS__)\n"
    for n in range(FIELDS_MAX + 2, ARGS_MAX + 1):
        out += f"#define WEIR_EACH_{n + 1}_(m, none, ...) none\n"
    out += """
/* WEIR_PACK_<n>_(0, v1, ..., vn): two bits each, the first one lowest. */
#define WEIR_PACK_0_(zero) UINT64_C(0)
#define WEIR_PACK_1_(zero, v) (UINT64_C(0) | (v))
"""
    for n in range(2, ARGS_MAX + 1):
        out += f"#define WEIR_PACK_{n}_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_{n - 1}_(zero, __VA_ARGS__) << 2)\n"
    out += """
/* WEIR_CHECK_<n+1>_(m, p, i, a1, ..., an, end): `m(p, i, a1); m(p, i + 1, a2); ...` */
#define WEIR_CHECK_1_(m, p, i, end)
#define WEIR_CHECK_2_(m, p, i, a, end) m(p, i, a);
"""
    for n in range(2, FIRE_MAX + 1):
        out += f"#define WEIR_CHECK_{n + 1}_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_{n}_(m, p, i + 1, __VA_ARGS__)\n"
    out += """
/* WEIR_ARGS_<n+1>_(a1, ..., an, end): `a1, ..., an` */
#define WEIR_ARGS_1_(end)
#define WEIR_ARGS_2_(a, end) a
"""
    for n in range(2, FIRE_MAX + 1):
        out += f"#define WEIR_ARGS_{n + 1}_(a, ...) a, WEIR_ARGS_{n}_(__VA_ARGS__)\n"
    out += "\n/* Arguments after the first one, of a fire. */\n"
    numbers = ", ".join(str(n) for n in range(FIRE_MAX + 1, -1, -1))
    names = ", ".join(f"a{n}" for n in range(FIRE_MAX + 2))
    out += f"#define WEIR_LENGTH_(...) WEIR_LENGTH2_(__VA_ARGS__, {numbers}, 0)\n"
    out += f"#define WEIR_LENGTH2_({names}, length, ...) length\n"
    out += "\n/* clang-format on */\n\n#endif\n"
    print(out, end="")


main()
