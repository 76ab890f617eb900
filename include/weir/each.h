/* SPDX-License-Identifier: MIT */
/* Loops for <weir/probe.h>, written by scripts/gen-probe.py. */
#ifndef WEIR_EACH_H
#define WEIR_EACH_H

/* clang-format off */

/*
 * WEIR_EACH_<n+1>_(m, none, f1, ..., fn, end): `m f1, m f2, ...`, or `none` without any. With more
 * than 13 (a head and 12 fields) it is `none` too: the caller asserts the number.
 */
#define WEIR_EACH_1_(m, none, end) none
#define WEIR_EACH_2_(m, none, f, end) m f
#define WEIR_EACH_3_(m, none, f, ...) m f, WEIR_EACH_2_(m, none, __VA_ARGS__)
#define WEIR_EACH_4_(m, none, f, ...) m f, WEIR_EACH_3_(m, none, __VA_ARGS__)
#define WEIR_EACH_5_(m, none, f, ...) m f, WEIR_EACH_4_(m, none, __VA_ARGS__)
#define WEIR_EACH_6_(m, none, f, ...) m f, WEIR_EACH_5_(m, none, __VA_ARGS__)
#define WEIR_EACH_7_(m, none, f, ...) m f, WEIR_EACH_6_(m, none, __VA_ARGS__)
#define WEIR_EACH_8_(m, none, f, ...) m f, WEIR_EACH_7_(m, none, __VA_ARGS__)
#define WEIR_EACH_9_(m, none, f, ...) m f, WEIR_EACH_8_(m, none, __VA_ARGS__)
#define WEIR_EACH_10_(m, none, f, ...) m f, WEIR_EACH_9_(m, none, __VA_ARGS__)
#define WEIR_EACH_11_(m, none, f, ...) m f, WEIR_EACH_10_(m, none, __VA_ARGS__)
#define WEIR_EACH_12_(m, none, f, ...) m f, WEIR_EACH_11_(m, none, __VA_ARGS__)
#define WEIR_EACH_13_(m, none, f, ...) m f, WEIR_EACH_12_(m, none, __VA_ARGS__)
#define WEIR_EACH_14_(m, none, f, ...) m f, WEIR_EACH_13_(m, none, __VA_ARGS__)
#define WEIR_EACH_15_(m, none, ...) none
#define WEIR_EACH_16_(m, none, ...) none
#define WEIR_EACH_17_(m, none, ...) none
#define WEIR_EACH_18_(m, none, ...) none
#define WEIR_EACH_19_(m, none, ...) none
#define WEIR_EACH_20_(m, none, ...) none
#define WEIR_EACH_21_(m, none, ...) none
#define WEIR_EACH_22_(m, none, ...) none
#define WEIR_EACH_23_(m, none, ...) none
#define WEIR_EACH_24_(m, none, ...) none
#define WEIR_EACH_25_(m, none, ...) none

/* WEIR_PACK_<n>_(0, v1, ..., vn): two bits each, the first one lowest. */
#define WEIR_PACK_0_(zero) UINT64_C(0)
#define WEIR_PACK_1_(zero, v) (UINT64_C(0) | (v))
#define WEIR_PACK_2_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_1_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_3_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_2_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_4_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_3_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_5_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_4_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_6_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_5_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_7_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_6_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_8_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_7_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_9_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_8_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_10_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_9_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_11_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_10_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_12_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_11_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_13_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_12_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_14_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_13_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_15_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_14_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_16_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_15_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_17_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_16_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_18_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_17_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_19_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_18_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_20_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_19_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_21_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_20_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_22_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_21_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_23_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_22_(zero, __VA_ARGS__) << 2)
#define WEIR_PACK_24_(zero, v, ...) (UINT64_C(0) | (v) | WEIR_PACK_23_(zero, __VA_ARGS__) << 2)

/* WEIR_CHECK_<n+1>_(m, p, i, a1, ..., an, end): `m(p, i, a1); m(p, i + 1, a2); ...` */
#define WEIR_CHECK_1_(m, p, i, end)
#define WEIR_CHECK_2_(m, p, i, a, end) m(p, i, a);
#define WEIR_CHECK_3_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_2_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_4_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_3_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_5_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_4_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_6_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_5_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_7_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_6_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_8_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_7_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_9_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_8_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_10_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_9_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_11_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_10_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_12_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_11_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_13_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_12_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_14_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_13_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_15_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_14_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_16_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_15_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_17_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_16_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_18_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_17_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_19_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_18_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_20_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_19_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_21_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_20_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_22_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_21_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_23_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_22_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_24_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_23_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_25_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_24_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_26_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_25_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_27_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_26_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_28_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_27_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_29_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_28_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_30_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_29_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_31_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_30_(m, p, i + 1, __VA_ARGS__)
#define WEIR_CHECK_32_(m, p, i, a, ...) m(p, i, a); WEIR_CHECK_31_(m, p, i + 1, __VA_ARGS__)

/* WEIR_ARGS_<n+1>_(a1, ..., an, end): `a1, ..., an` */
#define WEIR_ARGS_1_(end)
#define WEIR_ARGS_2_(a, end) a
#define WEIR_ARGS_3_(a, ...) a, WEIR_ARGS_2_(__VA_ARGS__)
#define WEIR_ARGS_4_(a, ...) a, WEIR_ARGS_3_(__VA_ARGS__)
#define WEIR_ARGS_5_(a, ...) a, WEIR_ARGS_4_(__VA_ARGS__)
#define WEIR_ARGS_6_(a, ...) a, WEIR_ARGS_5_(__VA_ARGS__)
#define WEIR_ARGS_7_(a, ...) a, WEIR_ARGS_6_(__VA_ARGS__)
#define WEIR_ARGS_8_(a, ...) a, WEIR_ARGS_7_(__VA_ARGS__)
#define WEIR_ARGS_9_(a, ...) a, WEIR_ARGS_8_(__VA_ARGS__)
#define WEIR_ARGS_10_(a, ...) a, WEIR_ARGS_9_(__VA_ARGS__)
#define WEIR_ARGS_11_(a, ...) a, WEIR_ARGS_10_(__VA_ARGS__)
#define WEIR_ARGS_12_(a, ...) a, WEIR_ARGS_11_(__VA_ARGS__)
#define WEIR_ARGS_13_(a, ...) a, WEIR_ARGS_12_(__VA_ARGS__)
#define WEIR_ARGS_14_(a, ...) a, WEIR_ARGS_13_(__VA_ARGS__)
#define WEIR_ARGS_15_(a, ...) a, WEIR_ARGS_14_(__VA_ARGS__)
#define WEIR_ARGS_16_(a, ...) a, WEIR_ARGS_15_(__VA_ARGS__)
#define WEIR_ARGS_17_(a, ...) a, WEIR_ARGS_16_(__VA_ARGS__)
#define WEIR_ARGS_18_(a, ...) a, WEIR_ARGS_17_(__VA_ARGS__)
#define WEIR_ARGS_19_(a, ...) a, WEIR_ARGS_18_(__VA_ARGS__)
#define WEIR_ARGS_20_(a, ...) a, WEIR_ARGS_19_(__VA_ARGS__)
#define WEIR_ARGS_21_(a, ...) a, WEIR_ARGS_20_(__VA_ARGS__)
#define WEIR_ARGS_22_(a, ...) a, WEIR_ARGS_21_(__VA_ARGS__)
#define WEIR_ARGS_23_(a, ...) a, WEIR_ARGS_22_(__VA_ARGS__)
#define WEIR_ARGS_24_(a, ...) a, WEIR_ARGS_23_(__VA_ARGS__)
#define WEIR_ARGS_25_(a, ...) a, WEIR_ARGS_24_(__VA_ARGS__)
#define WEIR_ARGS_26_(a, ...) a, WEIR_ARGS_25_(__VA_ARGS__)
#define WEIR_ARGS_27_(a, ...) a, WEIR_ARGS_26_(__VA_ARGS__)
#define WEIR_ARGS_28_(a, ...) a, WEIR_ARGS_27_(__VA_ARGS__)
#define WEIR_ARGS_29_(a, ...) a, WEIR_ARGS_28_(__VA_ARGS__)
#define WEIR_ARGS_30_(a, ...) a, WEIR_ARGS_29_(__VA_ARGS__)
#define WEIR_ARGS_31_(a, ...) a, WEIR_ARGS_30_(__VA_ARGS__)
#define WEIR_ARGS_32_(a, ...) a, WEIR_ARGS_31_(__VA_ARGS__)

/* Arguments after the first one, of a fire. */
#define WEIR_LENGTH_(...) WEIR_LENGTH2_(__VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
#define WEIR_LENGTH2_(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, length, ...) length

/* clang-format on */

#endif
