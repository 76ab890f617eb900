#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes include/weir/fire.h: one row per number of arguments, which C cannot loop over.

The header is committed, since it is installed and read by people; the unit suite compares it with
what this script writes.
"""

ARGS_MAX = 24

HEAD = """\
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
#define WEIR_SIGNATURE(count, classes)                                                             \\
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
#define WEIR_CLASS_(x)                                                                             \\
	((uint64_t)(WEIR_IS_REAL_(x)                                                               \\
	                ? sizeof(WEIR_REAL_(x)) == sizeof(float) ? WEIR_CLASS_F32 : WEIR_CLASS_F64 \\
	                : __builtin_classify_type(x) == 5 ? WEIR_CLASS_POINTER : WEIR_CLASS_INT) +         \\
	 0 * sizeof(struct {                                                                       \\
		 _Static_assert(__builtin_classify_type(x) != 9, "weir records no complex numbers"); \\
		 int unused;                                                                       \\
	 }))
#define WEIR_WORD_(x)                                                                              \\
	__builtin_choose_expr(                                                                     \\
	    WEIR_IS_REAL_(x),                                                                      \\
	    __builtin_choose_expr(sizeof(WEIR_REAL_(x)) == sizeof(float),                          \\
	                          weir_f32_word_((float)WEIR_REAL_(x)),                            \\
	                          weir_f64_word_((double)WEIR_REAL_(x))),                          \\
	    (uint64_t)__builtin_choose_expr(WEIR_IS_REAL_(x), 0, (x)))
#define WEIR_CALLED_(type, entry) ((type)(entry))

#endif

/* Atomic, since a publish may change them; its own order is in weir_enabled(). */
#define WEIR_FITS_ENTRY_(probe, wanted)                                                            \\
	__builtin_expect(__atomic_load_n(&(probe)->signature, __ATOMIC_RELAXED) == (wanted), 1)
#define WEIR_ENTRY_(probe) __atomic_load_n(&(probe)->fire, __ATOMIC_RELAXED)

#define WEIR_CAT_(a, b) WEIR_CAT2_(a, b)
#define WEIR_CAT2_(a, b) a##b
"""


def joined(fmt, n, sep=", "):
    return sep.join(fmt.format(i) for i in range(n))


def wrap(text, width=92):
    """Breaks a macro at spaces, with continuation backslashes."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = "\t" + word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return " \\\n".join(lines) + "\n"


def code(text, width=100):
    lines, line = [], ""
    indent = text[: len(text) - len(text.lstrip("\t"))]
    for word in text.strip().split(" "):
        if line and len((indent + line).expandtabs(8)) + 1 + len(word) > width - 4:
            lines.append(indent + line)
            line = "    " + word
        else:
            line = f"{line} {word}" if line else word
    lines.append(indent + line)
    return "\n".join(lines) + "\n"


def main():
    out = HEAD
    numbers = ", ".join(str(n) for n in range(ARGS_MAX, -1, -1))
    out += "\n/* How many arguments follow the first one. */\n"
    out += wrap(f"#define WEIR_COUNT_(...) WEIR_COUNT2_(__VA_ARGS__, {numbers}, 0)")
    names = joined("a{}", ARGS_MAX + 1)
    out += wrap(f"#define WEIR_COUNT2_({names}, count, ...) count")
    out += """
#define WEIR_ON_(probe, call)                                                                      \\
	__extension__({                                                                            \\
		struct weir_probe *weir_probe_ = (probe);                                          \\
		int weir_ret_ = 0;                                                                 \\
		if (weir_enabled(weir_probe_))                                                     \\
			weir_ret_ = (call);                                                        \\
		weir_ret_;                                                                         \\
	})
"""
    for n in range(ARGS_MAX + 1):
        comma = ", " if n else ""
        out += "\n"
        out += code(f"static inline int weir_call_{n}_(struct weir_probe *probe, uint64_t signature"
                    f"{comma}{joined('uint64_t a{}', n)})")
        out += "{\n\tif (WEIR_FITS_ENTRY_(probe, signature)) {\n"
        out += code(f"\t\tWEIR_CALLED_(void (*)({joined('uint64_t', n) if n else 'void'}), WEIR_ENTRY_(probe))"
                    f"({joined('a{}', n)});")
        out += "\t\treturn 0;\n\t}\n"
        if n:
            out += code(f"\tconst uint64_t args[] = {{ {joined('a{}', n)} }};")
            out += "\treturn weir_fire_args(probe, signature, args);\n}\n"
        else:
            out += "\treturn weir_fire_args(probe, signature, NULL);\n}\n"
    out += """
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
"""
    for n in range(ARGS_MAX + 1):
        arguments = joined(", a{}", n, "")
        out += wrap(f"#define WEIR_CALL_{n}(p{arguments}) WEIR_ON_(p, weir_call_(weir_probe_{arguments}))")
    out += "\n#else\n\n"
    for n in range(ARGS_MAX + 1):
        classes = joined("WEIR_CLASS_(a{0}) << (2 * {0})", n, " | ") or "0u"
        comma = ", " if n else ""
        out += wrap(f"#define WEIR_CALL_{n}(p{comma}{joined('a{}', n)}) WEIR_ON_(p, weir_call_{n}_("
                    f"weir_probe_, WEIR_SIGNATURE({n}, {classes}){comma}{joined('WEIR_WORD_(a{})', n)}))")
    out += "\n#endif\n\n#endif\n"
    print(out, end="")


main()
