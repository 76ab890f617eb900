/* SPDX-License-Identifier: MIT */
/*
 * What WEIR_FIRE expands to. Written by scripts/gen-fire.py; included by <weir/weir.h> only.
 *
 * Every argument becomes one 64-bit word: integers are extended by their own signedness, floats
 * are their bits, pointers their address. The words' classes and their number make a signature, a
 * constant at compile time, that is compared with the probe's before its entry is called: the
 * entry believes its registers.
 */
#ifndef WEIR_FIRE_H
#define WEIR_FIRE_H

/* clang-format off */

#define WEIR_CLASS_INT 0u
#define WEIR_CLASS_F32 1u
#define WEIR_CLASS_F64 2u
#define WEIR_CLASS_POINTER 3u
/* Bits 0..47: two per argument. Bits 48..55: their number. Bit 63: always set. */
#define WEIR_SIGNATURE(count, classes)                                                             \
	(UINT64_C(1) << 63 | UINT64_C(1) * (count) << 48 | UINT64_C(1) * (classes))

static inline uint64_t weir_f32_word_(float value)
{
	union {
		float f;
		uint32_t u;
	} bits = { value };

	return bits.u;
}

static inline uint64_t weir_f64_word_(double value)
{
	union {
		double f;
		uint64_t u;
	} bits = { value };

	return bits.u;
}

#ifdef __cplusplus

extern "C++" {
/* By __builtin_classify_type: 5 is a pointer, 8 a real floating type, 9 a complex one. */
template <typename T, int = __builtin_classify_type(*static_cast<T *>(nullptr))> struct weir_arg_ {
	static constexpr uint64_t kind = WEIR_CLASS_INT;
	static uint64_t word(T value)
	{
		return static_cast<uint64_t>(value);
	}
};
template <typename T> struct weir_arg_<T *, 5> {
	static constexpr uint64_t kind = WEIR_CLASS_POINTER;
	static uint64_t word(T *value)
	{
		return reinterpret_cast<uintptr_t>(value);
	}
};
template <int any> struct weir_arg_<decltype(nullptr), any> {
	static constexpr uint64_t kind = WEIR_CLASS_POINTER;
	static uint64_t word(decltype(nullptr))
	{
		return 0;
	}
};
template <typename T> struct weir_arg_<T, 8> {
	static constexpr bool single = sizeof(T) == sizeof(float);
	static constexpr uint64_t kind = single ? WEIR_CLASS_F32 : WEIR_CLASS_F64;
	static uint64_t word(T value)
	{
		return single ? weir_f32_word_(static_cast<float>(value))
		              : weir_f64_word_(static_cast<double>(value));
	}
};
template <typename T> struct weir_arg_<T, 9> {
	static_assert(sizeof(T) == 0, "weir records no complex numbers");
};

template <typename... T> struct weir_kinds_ {
	static constexpr uint64_t value = 0;
};
template <typename First, typename... T> struct weir_kinds_<First, T...> {
	static constexpr uint64_t value = weir_arg_<First>::kind | weir_kinds_<T...>::value << 2;
};
template <typename T> using weir_u64_ = uint64_t;
}
#define WEIR_CALLED_(type, entry) reinterpret_cast<type>(entry)

#else

/* 5: pointer; 8: real floating; 9: complex. No operand is evaluated but the one that is chosen, and
 * that once. */
#define WEIR_IS_REAL_(x) (__builtin_classify_type(x) == 8)
#define WEIR_REAL_(x) __builtin_choose_expr(WEIR_IS_REAL_(x), (x), 0.0)
#define WEIR_CLASS_(x)                                                                             \
	((uint64_t)(WEIR_IS_REAL_(x)                                                               \
	                ? sizeof(WEIR_REAL_(x)) == sizeof(float) ? WEIR_CLASS_F32 : WEIR_CLASS_F64 \
	                : __builtin_classify_type(x) == 5 ? WEIR_CLASS_POINTER : WEIR_CLASS_INT) +         \
	 0 * sizeof(struct {                                                                       \
		 _Static_assert(__builtin_classify_type(x) != 9, "weir records no complex numbers"); \
		 int unused;                                                                       \
	 }))
#define WEIR_WORD_(x)                                                                              \
	__builtin_choose_expr(                                                                     \
	    WEIR_IS_REAL_(x),                                                                      \
	    __builtin_choose_expr(sizeof(WEIR_REAL_(x)) == sizeof(float),                          \
	                          weir_f32_word_((float)WEIR_REAL_(x)),                            \
	                          weir_f64_word_((double)WEIR_REAL_(x))),                          \
	    (uint64_t)__builtin_choose_expr(WEIR_IS_REAL_(x), 0, (x)))
#define WEIR_CALLED_(type, entry) ((type)(entry))

#endif

/* Atomic, since a publish may change them; its own order is in weir_enabled(). */
#define WEIR_FITS_ENTRY_(probe, wanted)                                                            \
	__builtin_expect(__atomic_load_n(&(probe)->signature, __ATOMIC_RELAXED) == (wanted), 1)
#define WEIR_ENTRY_(probe) __atomic_load_n(&(probe)->fire, __ATOMIC_RELAXED)

#define WEIR_CAT_(a, b) WEIR_CAT2_(a, b)
#define WEIR_CAT2_(a, b) a##b

/* How many arguments follow the first one. */
#define WEIR_COUNT_(...) WEIR_COUNT2_(__VA_ARGS__, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, \
	14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
#define WEIR_COUNT2_(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, \
	a16, a17, a18, a19, a20, a21, a22, a23, a24, count, ...) count

#define WEIR_ON_(probe, call)                                                                      \
	__extension__({                                                                            \
		struct weir_probe *weir_probe_ = (probe);                                          \
		int weir_ret_ = 0;                                                                 \
		if (weir_enabled(weir_probe_))                                                     \
			weir_ret_ = (call);                                                        \
		weir_ret_;                                                                         \
	})

static inline int weir_call_0_(struct weir_probe *probe, uint64_t signature)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(void), WEIR_ENTRY_(probe))();
		return 0;
	}
	return weir_fire_args(probe, signature, NULL);
}

static inline int weir_call_1_(struct weir_probe *probe, uint64_t signature, uint64_t a0)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t), WEIR_ENTRY_(probe))(a0);
		return 0;
	}
	const uint64_t args[] = { a0 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_2_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1);
		return 0;
	}
	const uint64_t args[] = { a0, a1 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_3_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1,
		    a2);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_4_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t),
		    WEIR_ENTRY_(probe))(a0, a1, a2, a3);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_5_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t),
		    WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_6_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_7_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_8_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5,
		    a6, a7);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_9_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3,
		    a4, a5, a6, a7, a8);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_10_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0,
		    a1, a2, a3, a4, a5, a6, a7, a8, a9);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_11_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t),
		    WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_12_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t),
		    WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_13_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10,
		    a11, a12);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_14_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6, a7, a8,
		    a9, a10, a11, a12, a13);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_15_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5,
		    a6, a7, a8, a9, a10, a11, a12, a13, a14);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_16_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3,
		    a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_17_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15, uint64_t a16)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0,
		    a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15, a16 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_18_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15, uint64_t a16, uint64_t a17)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t),
		    WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12,
		    a13, a14, a15, a16, a17);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15, a16, a17 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_19_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15, uint64_t a16, uint64_t a17, uint64_t a18)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t),
		    WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12,
		    a13, a14, a15, a16, a17, a18);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15, a16, a17, a18 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_20_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15, uint64_t a16, uint64_t a17, uint64_t a18, uint64_t a19)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10,
		    a11, a12, a13, a14, a15, a16, a17, a18, a19);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15, a16, a17, a18, a19 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_21_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15, uint64_t a16, uint64_t a17, uint64_t a18, uint64_t a19, uint64_t a20)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5, a6, a7, a8,
		    a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15, a16, a17, a18, a19, a20 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_22_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15, uint64_t a16, uint64_t a17, uint64_t a18, uint64_t a19, uint64_t a20,
    uint64_t a21)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3, a4, a5,
		    a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15, a16, a17, a18, a19, a20, a21 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_23_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15, uint64_t a16, uint64_t a17, uint64_t a18, uint64_t a19, uint64_t a20,
    uint64_t a21, uint64_t a22)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0, a1, a2, a3,
		    a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19,
		    a20, a21, a22);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15, a16, a17, a18, a19, a20, a21, a22 };
	return weir_fire_args(probe, signature, args);
}

static inline int weir_call_24_(struct weir_probe *probe, uint64_t signature, uint64_t a0,
    uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
    uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13, uint64_t
    a14, uint64_t a15, uint64_t a16, uint64_t a17, uint64_t a18, uint64_t a19, uint64_t a20,
    uint64_t a21, uint64_t a22, uint64_t a23)
{
	if (WEIR_FITS_ENTRY_(probe, signature)) {
		WEIR_CALLED_(void (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t), WEIR_ENTRY_(probe))(a0,
		    a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17,
		    a18, a19, a20, a21, a22, a23);
		return 0;
	}
	const uint64_t args[] = { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,
	    a14, a15, a16, a17, a18, a19, a20, a21, a22, a23 };
	return weir_fire_args(probe, signature, args);
}

#ifdef __cplusplus

extern "C++" {
/* The arguments come by value: each is evaluated once, arrays are pointers, volatile is read. */
template <typename... T> static inline int weir_call_(struct weir_probe *probe, T... value)
{
	constexpr uint64_t signature = WEIR_SIGNATURE(sizeof...(T), weir_kinds_<T...>::value);

	if (WEIR_FITS_ENTRY_(probe, signature)) {
		reinterpret_cast<void (*)(weir_u64_<T>...)>(WEIR_ENTRY_(probe))(
		    weir_arg_<T>::word(value)...);
		return 0;
	}
	const uint64_t args[sizeof...(T) ? sizeof...(T) : 1] = { weir_arg_<T>::word(value)... };
	return weir_fire_args(probe, signature, args);
}
}
#define WEIR_CALL_0(p) WEIR_ON_(p, weir_call_(weir_probe_))
#define WEIR_CALL_1(p, a0) WEIR_ON_(p, weir_call_(weir_probe_, a0))
#define WEIR_CALL_2(p, a0, a1) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1))
#define WEIR_CALL_3(p, a0, a1, a2) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2))
#define WEIR_CALL_4(p, a0, a1, a2, a3) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3))
#define WEIR_CALL_5(p, a0, a1, a2, a3, a4) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, \
	a3, a4))
#define WEIR_CALL_6(p, a0, a1, a2, a3, a4, a5) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, \
	a2, a3, a4, a5))
#define WEIR_CALL_7(p, a0, a1, a2, a3, a4, a5, a6) WEIR_ON_(p, weir_call_(weir_probe_, a0, \
	a1, a2, a3, a4, a5, a6))
#define WEIR_CALL_8(p, a0, a1, a2, a3, a4, a5, a6, a7) WEIR_ON_(p, weir_call_(weir_probe_, \
	a0, a1, a2, a3, a4, a5, a6, a7))
#define WEIR_CALL_9(p, a0, a1, a2, a3, a4, a5, a6, a7, a8) WEIR_ON_(p, \
	weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8))
#define WEIR_CALL_10(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9) WEIR_ON_(p, \
	weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9))
#define WEIR_CALL_11(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10) WEIR_ON_(p, \
	weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10))
#define WEIR_CALL_12(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) WEIR_ON_(p, \
	weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11))
#define WEIR_CALL_13(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12) WEIR_ON_(p, \
	weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12))
#define WEIR_CALL_14(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) \
	WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, \
	a13))
#define WEIR_CALL_15(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) \
	WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, \
	a13, a14))
#define WEIR_CALL_16(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, \
	a12, a13, a14, a15))
#define WEIR_CALL_17(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, \
	a11, a12, a13, a14, a15, a16))
#define WEIR_CALL_18(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, \
	a10, a11, a12, a13, a14, a15, a16, a17))
#define WEIR_CALL_19(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, a7, a8, \
	a9, a10, a11, a12, a13, a14, a15, a16, a17, a18))
#define WEIR_CALL_20(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, a6, \
	a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19))
#define WEIR_CALL_21(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19, a20) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, a5, \
	a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20))
#define WEIR_CALL_22(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19, a20, a21) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, a4, \
	a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21))
#define WEIR_CALL_23(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19, a20, a21, a22) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, a2, a3, \
	a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22))
#define WEIR_CALL_24(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19, a20, a21, a22, a23) WEIR_ON_(p, weir_call_(weir_probe_, a0, a1, \
	a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, \
	a22, a23))

#else

#define WEIR_CALL_0(p) WEIR_ON_(p, weir_call_0_(weir_probe_, WEIR_SIGNATURE(0, 0u)))
#define WEIR_CALL_1(p, a0) WEIR_ON_(p, weir_call_1_(weir_probe_, WEIR_SIGNATURE(1, \
	WEIR_CLASS_(a0) << (2 * 0)), WEIR_WORD_(a0)))
#define WEIR_CALL_2(p, a0, a1) WEIR_ON_(p, weir_call_2_(weir_probe_, WEIR_SIGNATURE(2, \
	WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1)), WEIR_WORD_(a0), WEIR_WORD_(a1)))
#define WEIR_CALL_3(p, a0, a1, a2) WEIR_ON_(p, weir_call_3_(weir_probe_, WEIR_SIGNATURE(3, \
	WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2)), \
	WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2)))
#define WEIR_CALL_4(p, a0, a1, a2, a3) WEIR_ON_(p, weir_call_4_(weir_probe_, \
	WEIR_SIGNATURE(4, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) \
	<< (2 * 2) | WEIR_CLASS_(a3) << (2 * 3)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), \
	WEIR_WORD_(a3)))
#define WEIR_CALL_5(p, a0, a1, a2, a3, a4) WEIR_ON_(p, weir_call_5_(weir_probe_, \
	WEIR_SIGNATURE(5, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) \
	<< (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4)), WEIR_WORD_(a0), \
	WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4)))
#define WEIR_CALL_6(p, a0, a1, a2, a3, a4, a5) WEIR_ON_(p, weir_call_6_(weir_probe_, \
	WEIR_SIGNATURE(6, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) \
	<< (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << \
	(2 * 5)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), \
	WEIR_WORD_(a5)))
#define WEIR_CALL_7(p, a0, a1, a2, a3, a4, a5, a6) WEIR_ON_(p, weir_call_7_(weir_probe_, \
	WEIR_SIGNATURE(7, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) \
	<< (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << \
	(2 * 5) | WEIR_CLASS_(a6) << (2 * 6)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), \
	WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), WEIR_WORD_(a6)))
#define WEIR_CALL_8(p, a0, a1, a2, a3, a4, a5, a6, a7) WEIR_ON_(p, weir_call_8_(weir_probe_, \
	WEIR_SIGNATURE(8, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) \
	<< (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << \
	(2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * 7)), WEIR_WORD_(a0), \
	WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), \
	WEIR_WORD_(a6), WEIR_WORD_(a7)))
#define WEIR_CALL_9(p, a0, a1, a2, a3, a4, a5, a6, a7, a8) WEIR_ON_(p, \
	weir_call_9_(weir_probe_, WEIR_SIGNATURE(9, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << \
	(2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * \
	4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * 7) | \
	WEIR_CLASS_(a8) << (2 * 8)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), \
	WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), \
	WEIR_WORD_(a8)))
#define WEIR_CALL_10(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9) WEIR_ON_(p, \
	weir_call_10_(weir_probe_, WEIR_SIGNATURE(10, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) \
	<< (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << \
	(2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * \
	7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9)), WEIR_WORD_(a0), \
	WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), \
	WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9)))
#define WEIR_CALL_11(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10) WEIR_ON_(p, \
	weir_call_11_(weir_probe_, WEIR_SIGNATURE(11, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) \
	<< (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << \
	(2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * \
	7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * \
	10)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), \
	WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), \
	WEIR_WORD_(a10)))
#define WEIR_CALL_12(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) WEIR_ON_(p, \
	weir_call_12_(weir_probe_, WEIR_SIGNATURE(12, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) \
	<< (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << \
	(2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * \
	7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * 10) \
	| WEIR_CLASS_(a11) << (2 * 11)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), \
	WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), \
	WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), WEIR_WORD_(a11)))
#define WEIR_CALL_13(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12) WEIR_ON_(p, \
	weir_call_13_(weir_probe_, WEIR_SIGNATURE(13, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) \
	<< (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << \
	(2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * \
	7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * 10) \
	| WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12)), WEIR_WORD_(a0), \
	WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), \
	WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), \
	WEIR_WORD_(a11), WEIR_WORD_(a12)))
#define WEIR_CALL_14(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) \
	WEIR_ON_(p, weir_call_14_(weir_probe_, WEIR_SIGNATURE(14, WEIR_CLASS_(a0) << (2 * 0) | \
	WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | \
	WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | \
	WEIR_CLASS_(a7) << (2 * 7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | \
	WEIR_CLASS_(a10) << (2 * 10) | WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12) \
	| WEIR_CLASS_(a13) << (2 * 13)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), \
	WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), \
	WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), WEIR_WORD_(a11), WEIR_WORD_(a12), \
	WEIR_WORD_(a13)))
#define WEIR_CALL_15(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) \
	WEIR_ON_(p, weir_call_15_(weir_probe_, WEIR_SIGNATURE(15, WEIR_CLASS_(a0) << (2 * 0) | \
	WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | \
	WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | \
	WEIR_CLASS_(a7) << (2 * 7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | \
	WEIR_CLASS_(a10) << (2 * 10) | WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12) \
	| WEIR_CLASS_(a13) << (2 * 13) | WEIR_CLASS_(a14) << (2 * 14)), WEIR_WORD_(a0), \
	WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), \
	WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), \
	WEIR_WORD_(a11), WEIR_WORD_(a12), WEIR_WORD_(a13), WEIR_WORD_(a14)))
#define WEIR_CALL_16(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15) WEIR_ON_(p, weir_call_16_(weir_probe_, WEIR_SIGNATURE(16, WEIR_CLASS_(a0) << (2 * 0) | \
	WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | \
	WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | \
	WEIR_CLASS_(a7) << (2 * 7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | \
	WEIR_CLASS_(a10) << (2 * 10) | WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12) \
	| WEIR_CLASS_(a13) << (2 * 13) | WEIR_CLASS_(a14) << (2 * 14) | WEIR_CLASS_(a15) << (2 * \
	15)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), \
	WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), \
	WEIR_WORD_(a10), WEIR_WORD_(a11), WEIR_WORD_(a12), WEIR_WORD_(a13), WEIR_WORD_(a14), \
	WEIR_WORD_(a15)))
#define WEIR_CALL_17(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16) WEIR_ON_(p, weir_call_17_(weir_probe_, WEIR_SIGNATURE(17, WEIR_CLASS_(a0) << (2 * \
	0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | \
	WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | \
	WEIR_CLASS_(a7) << (2 * 7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | \
	WEIR_CLASS_(a10) << (2 * 10) | WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12) \
	| WEIR_CLASS_(a13) << (2 * 13) | WEIR_CLASS_(a14) << (2 * 14) | WEIR_CLASS_(a15) << (2 * \
	15) | WEIR_CLASS_(a16) << (2 * 16)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), \
	WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), \
	WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), WEIR_WORD_(a11), WEIR_WORD_(a12), \
	WEIR_WORD_(a13), WEIR_WORD_(a14), WEIR_WORD_(a15), WEIR_WORD_(a16)))
#define WEIR_CALL_18(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17) WEIR_ON_(p, weir_call_18_(weir_probe_, WEIR_SIGNATURE(18, WEIR_CLASS_(a0) << \
	(2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * \
	3) | WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | \
	WEIR_CLASS_(a7) << (2 * 7) | WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | \
	WEIR_CLASS_(a10) << (2 * 10) | WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12) \
	| WEIR_CLASS_(a13) << (2 * 13) | WEIR_CLASS_(a14) << (2 * 14) | WEIR_CLASS_(a15) << (2 * \
	15) | WEIR_CLASS_(a16) << (2 * 16) | WEIR_CLASS_(a17) << (2 * 17)), WEIR_WORD_(a0), \
	WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), \
	WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), \
	WEIR_WORD_(a11), WEIR_WORD_(a12), WEIR_WORD_(a13), WEIR_WORD_(a14), WEIR_WORD_(a15), \
	WEIR_WORD_(a16), WEIR_WORD_(a17)))
#define WEIR_CALL_19(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18) WEIR_ON_(p, weir_call_19_(weir_probe_, WEIR_SIGNATURE(19, \
	WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | \
	WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | \
	WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * 7) | WEIR_CLASS_(a8) << (2 * 8) | \
	WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * 10) | WEIR_CLASS_(a11) << (2 * 11) | \
	WEIR_CLASS_(a12) << (2 * 12) | WEIR_CLASS_(a13) << (2 * 13) | WEIR_CLASS_(a14) << (2 * 14) \
	| WEIR_CLASS_(a15) << (2 * 15) | WEIR_CLASS_(a16) << (2 * 16) | WEIR_CLASS_(a17) << (2 * \
	17) | WEIR_CLASS_(a18) << (2 * 18)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), \
	WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), \
	WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), WEIR_WORD_(a11), WEIR_WORD_(a12), \
	WEIR_WORD_(a13), WEIR_WORD_(a14), WEIR_WORD_(a15), WEIR_WORD_(a16), WEIR_WORD_(a17), \
	WEIR_WORD_(a18)))
#define WEIR_CALL_20(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19) WEIR_ON_(p, weir_call_20_(weir_probe_, WEIR_SIGNATURE(20, \
	WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | \
	WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | \
	WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * 7) | WEIR_CLASS_(a8) << (2 * 8) | \
	WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * 10) | WEIR_CLASS_(a11) << (2 * 11) | \
	WEIR_CLASS_(a12) << (2 * 12) | WEIR_CLASS_(a13) << (2 * 13) | WEIR_CLASS_(a14) << (2 * 14) \
	| WEIR_CLASS_(a15) << (2 * 15) | WEIR_CLASS_(a16) << (2 * 16) | WEIR_CLASS_(a17) << (2 * \
	17) | WEIR_CLASS_(a18) << (2 * 18) | WEIR_CLASS_(a19) << (2 * 19)), WEIR_WORD_(a0), \
	WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), \
	WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), \
	WEIR_WORD_(a11), WEIR_WORD_(a12), WEIR_WORD_(a13), WEIR_WORD_(a14), WEIR_WORD_(a15), \
	WEIR_WORD_(a16), WEIR_WORD_(a17), WEIR_WORD_(a18), WEIR_WORD_(a19)))
#define WEIR_CALL_21(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19, a20) WEIR_ON_(p, weir_call_21_(weir_probe_, WEIR_SIGNATURE(21, \
	WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | WEIR_CLASS_(a2) << (2 * 2) | \
	WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | WEIR_CLASS_(a5) << (2 * 5) | \
	WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * 7) | WEIR_CLASS_(a8) << (2 * 8) | \
	WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * 10) | WEIR_CLASS_(a11) << (2 * 11) | \
	WEIR_CLASS_(a12) << (2 * 12) | WEIR_CLASS_(a13) << (2 * 13) | WEIR_CLASS_(a14) << (2 * 14) \
	| WEIR_CLASS_(a15) << (2 * 15) | WEIR_CLASS_(a16) << (2 * 16) | WEIR_CLASS_(a17) << (2 * \
	17) | WEIR_CLASS_(a18) << (2 * 18) | WEIR_CLASS_(a19) << (2 * 19) | WEIR_CLASS_(a20) << (2 \
	* 20)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), \
	WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), \
	WEIR_WORD_(a10), WEIR_WORD_(a11), WEIR_WORD_(a12), WEIR_WORD_(a13), WEIR_WORD_(a14), \
	WEIR_WORD_(a15), WEIR_WORD_(a16), WEIR_WORD_(a17), WEIR_WORD_(a18), WEIR_WORD_(a19), \
	WEIR_WORD_(a20)))
#define WEIR_CALL_22(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19, a20, a21) WEIR_ON_(p, weir_call_22_(weir_probe_, \
	WEIR_SIGNATURE(22, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | \
	WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | \
	WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * 7) | \
	WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * 10) | \
	WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12) | WEIR_CLASS_(a13) << (2 * 13) \
	| WEIR_CLASS_(a14) << (2 * 14) | WEIR_CLASS_(a15) << (2 * 15) | WEIR_CLASS_(a16) << (2 * \
	16) | WEIR_CLASS_(a17) << (2 * 17) | WEIR_CLASS_(a18) << (2 * 18) | WEIR_CLASS_(a19) << (2 \
	* 19) | WEIR_CLASS_(a20) << (2 * 20) | WEIR_CLASS_(a21) << (2 * 21)), WEIR_WORD_(a0), \
	WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), \
	WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), \
	WEIR_WORD_(a11), WEIR_WORD_(a12), WEIR_WORD_(a13), WEIR_WORD_(a14), WEIR_WORD_(a15), \
	WEIR_WORD_(a16), WEIR_WORD_(a17), WEIR_WORD_(a18), WEIR_WORD_(a19), WEIR_WORD_(a20), \
	WEIR_WORD_(a21)))
#define WEIR_CALL_23(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19, a20, a21, a22) WEIR_ON_(p, weir_call_23_(weir_probe_, \
	WEIR_SIGNATURE(23, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | \
	WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | \
	WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * 7) | \
	WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * 10) | \
	WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12) | WEIR_CLASS_(a13) << (2 * 13) \
	| WEIR_CLASS_(a14) << (2 * 14) | WEIR_CLASS_(a15) << (2 * 15) | WEIR_CLASS_(a16) << (2 * \
	16) | WEIR_CLASS_(a17) << (2 * 17) | WEIR_CLASS_(a18) << (2 * 18) | WEIR_CLASS_(a19) << (2 \
	* 19) | WEIR_CLASS_(a20) << (2 * 20) | WEIR_CLASS_(a21) << (2 * 21) | WEIR_CLASS_(a22) << \
	(2 * 22)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), WEIR_WORD_(a3), WEIR_WORD_(a4), \
	WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), WEIR_WORD_(a8), WEIR_WORD_(a9), \
	WEIR_WORD_(a10), WEIR_WORD_(a11), WEIR_WORD_(a12), WEIR_WORD_(a13), WEIR_WORD_(a14), \
	WEIR_WORD_(a15), WEIR_WORD_(a16), WEIR_WORD_(a17), WEIR_WORD_(a18), WEIR_WORD_(a19), \
	WEIR_WORD_(a20), WEIR_WORD_(a21), WEIR_WORD_(a22)))
#define WEIR_CALL_24(p, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, \
	a15, a16, a17, a18, a19, a20, a21, a22, a23) WEIR_ON_(p, weir_call_24_(weir_probe_, \
	WEIR_SIGNATURE(24, WEIR_CLASS_(a0) << (2 * 0) | WEIR_CLASS_(a1) << (2 * 1) | \
	WEIR_CLASS_(a2) << (2 * 2) | WEIR_CLASS_(a3) << (2 * 3) | WEIR_CLASS_(a4) << (2 * 4) | \
	WEIR_CLASS_(a5) << (2 * 5) | WEIR_CLASS_(a6) << (2 * 6) | WEIR_CLASS_(a7) << (2 * 7) | \
	WEIR_CLASS_(a8) << (2 * 8) | WEIR_CLASS_(a9) << (2 * 9) | WEIR_CLASS_(a10) << (2 * 10) | \
	WEIR_CLASS_(a11) << (2 * 11) | WEIR_CLASS_(a12) << (2 * 12) | WEIR_CLASS_(a13) << (2 * 13) \
	| WEIR_CLASS_(a14) << (2 * 14) | WEIR_CLASS_(a15) << (2 * 15) | WEIR_CLASS_(a16) << (2 * \
	16) | WEIR_CLASS_(a17) << (2 * 17) | WEIR_CLASS_(a18) << (2 * 18) | WEIR_CLASS_(a19) << (2 \
	* 19) | WEIR_CLASS_(a20) << (2 * 20) | WEIR_CLASS_(a21) << (2 * 21) | WEIR_CLASS_(a22) << \
	(2 * 22) | WEIR_CLASS_(a23) << (2 * 23)), WEIR_WORD_(a0), WEIR_WORD_(a1), WEIR_WORD_(a2), \
	WEIR_WORD_(a3), WEIR_WORD_(a4), WEIR_WORD_(a5), WEIR_WORD_(a6), WEIR_WORD_(a7), \
	WEIR_WORD_(a8), WEIR_WORD_(a9), WEIR_WORD_(a10), WEIR_WORD_(a11), WEIR_WORD_(a12), \
	WEIR_WORD_(a13), WEIR_WORD_(a14), WEIR_WORD_(a15), WEIR_WORD_(a16), WEIR_WORD_(a17), \
	WEIR_WORD_(a18), WEIR_WORD_(a19), WEIR_WORD_(a20), WEIR_WORD_(a21), WEIR_WORD_(a22), \
	WEIR_WORD_(a23)))

#endif

#endif
