/* SPDX-License-Identifier: MIT */
/*
 * Probes that are declared in the source: what <weir/weir.h> does at run time, with the fields'
 * types known to the compiler.
 *
 *     // shop.h: in a header of any number of C and C++ files, or in one file
 *     #include <weir/probe.h>
 *     WEIR_PROBE(shop, order, (u64, id), (string, path))
 *
 *     // once at start; nothing happens at load by itself
 *     WEIR_PUBLISH(shop);
 *
 *     // anywhere
 *     WEIR_PROBE_FIRE(shop, order, id, path);
 *
 * A wrong number or type of arguments does not compile, nor do two fields of one name. Types are i8
 * i16 i32 i64 u8 u16 u32 u64 f32 f64 bool string bytes pointer; a bytes field takes two arguments,
 * pointer and size. Up to WEIR_FIELDS_MAX fields. Names that are too long for tools are found when
 * the provider is published.
 *
 * What fits what, without a cast: any integer, bool or enum an integer or bool field (the low bits
 * count, as in any C call); any number an f32 or f64 field; `char *` and `const char *` a string
 * field; any object pointer a pointer field (a function's address passes in C, unnoticed; not in C++).
 *
 * WEIR_PROBE(shop, order, ...) defines, at file or namespace scope,
 *
 *     static inline bool shop_order_enabled(void);
 *     static inline void shop_order_fire(uint64_t id, const char *path);
 *
 * WEIR_PROBE_FIRE(shop, order, ...) is the second one with its arguments evaluated only when
 * somebody looks, and with checks that C alone does not make of a call: C converts a double to an
 * integer silently, and GCC before 14 and clang before 15 only warn of a pointer where an integer
 * is wanted.
 * Both are as safe as WEIR_FIRE: in any thread, in signal handlers, before WEIR_PUBLISH and after
 * WEIR_WITHDRAW (then they do nothing). Off, they cost what WEIR_FIRE costs.
 *
 * The declaration stands without a semicolon; one behind it is harmless but for -pedantic in C.
 *
 * Linking: all files of one executable or shared object that declare a probe share it (a weak
 * hidden variable). Each executable and shared object publishes what itself declares. Two that
 * declare the same probe alike share it, and tracers see it once.
 */
#ifndef WEIR_PROBE_H
#define WEIR_PROBE_H

#include <weir/weir.h>
#include <weir/each.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What WEIR_PROBE writes down. It may grow at its end; `size` says how much the compiler knew. */
struct weir_declaration {
	size_t size;
	const char *provider;
	const char *name;
	const struct weir_field *fields;
	size_t count;
	const struct weir_probe_options *options; /* NULL: defaults */
	struct weir_probe **probe;                /* weir_probe_off until it is published */
};

/* The declarations of this executable or shared object, one entry per file that holds one. */
extern const struct weir_declaration *const __start_weir_probes[]
    __attribute__((weak, visibility("hidden")));
extern const struct weir_declaration *const __stop_weir_probes[]
    __attribute__((weak, visibility("hidden")));

/*
 * Create and publish the declared probes of `provider` (NULL: of every provider) among
 * [begin, end). A provider or probe that exists is used, in which case `options` do not matter; a
 * probe that exists with other fields is -EEXIST, and those probes that can be had are published
 * all the same. A second call of the same object publishes what is new. -ENOENT: nothing there is
 * declared for `provider`; else as weir_provider_create, weir_probe_create and
 * weir_provider_publish. The reason is left in options->error, if given;
 * there also stands what is missing if it returns 0 and only USDT or only buffers work (its code is not
 * 0 then, and else untouched).
 * Not in signal handlers.
 */
WEIR_API int weir_declared_publish(const struct weir_declaration *const *begin,
                                   const struct weir_declaration *const *end, const char *provider,
                                   const struct weir_provider_options *options);

/*
 * Switch the declared probes off for this object, and withdraw a provider that no other object
 * holds. Call it before the object is unloaded. Fires of other threads that are under way are safe
 * (their probe stays in memory); only the object's code must stay until they are back.
 * -ENOENT: not published by this object.
 */
WEIR_API int weir_declared_withdraw(const struct weir_declaration *const *begin,
                                    const struct weir_declaration *const *end,
                                    const char *provider);

/* Of the object that the calling file is linked into. */
#define WEIR_PUBLISH(provider) WEIR_PUBLISH_WITH(provider, NULL)
#define WEIR_PUBLISH_WITH(provider, options) \
	weir_declared_publish(__start_weir_probes, __stop_weir_probes, #provider, options)
#define WEIR_WITHDRAW(provider) \
	weir_declared_withdraw(__start_weir_probes, __stop_weir_probes, #provider)
/* All its providers. */
#define WEIR_PUBLISH_ALL() \
	weir_declared_publish(__start_weir_probes, __stop_weir_probes, NULL, NULL)
#define WEIR_WITHDRAW_ALL() weir_declared_withdraw(__start_weir_probes, __stop_weir_probes, NULL)

#ifdef __cplusplus
} /* extern "C" */
#endif

/* WEIR_PROBE(provider, probe, (type, name)...) */
#define WEIR_PROBE(...) \
	WEIR_DECLARE_(WEIR_COUNT_(__VA_ARGS__), WEIR_COUNT_(~, __VA_ARGS__), NULL, __VA_ARGS__, ~)
/* The same with a pointer to a static struct weir_probe_options: a semaphore, a string limit. */
#define WEIR_PROBE_WITH(options, ...)                                                              \
	WEIR_DECLARE_(WEIR_COUNT_(__VA_ARGS__), WEIR_COUNT_(~, __VA_ARGS__), options, __VA_ARGS__, \
	              ~)

/* WEIR_PROBE_FIRE(provider, probe, argument...) */
#define WEIR_PROBE_FIRE(...) WEIR_FIRE_DECLARED_(WEIR_LENGTH_(__VA_ARGS__), __VA_ARGS__, ~)

/* WEIR_PROBE_ENABLED(provider, probe): does somebody look? */
#define WEIR_PROBE_ENABLED(provider, probe) provider##_##probe##_enabled()

/* --- the rest is how --- */

#ifdef __cplusplus

/*
 * An integer or float parameter that takes what the field's type is made for, by the operators
 * that the argument's type has, and nothing that merely converts: no pointer to bool, no double to
 * an integer.
 */
extern "C++" {
template <typename T> struct weir_integer_ {
	T value;
	template <typename U, typename = decltype(1 % *static_cast<U *>(nullptr))>
	constexpr weir_integer_(U from) : value(static_cast<T>(from))
	{
	}
};
template <typename T> struct weir_float_ {
	T value;
	template <typename U, typename = decltype(1.0f < *static_cast<U *>(nullptr))>
	constexpr weir_float_(U from) : value(static_cast<T>(from))
	{
	}
};
}
#define WEIR_INTEGER_(type)     weir_integer_<type>
#define WEIR_FLOAT_(type)       weir_float_<type>
#define WEIR_VALUE_(name)       name.value
#define WEIR_BOOL_              bool
#define WEIR_STATIC_ASSERT_     static_assert
#define WEIR_CAST_(type, value) static_cast<type>(value)
#define WEIR_ADDRESS_(pointer)  reinterpret_cast<uintptr_t>(pointer)
#define WEIR_C_                 extern "C" {
#define WEIR_C_END_             }

#else

#define WEIR_INTEGER_(type)     type
#define WEIR_FLOAT_(type)       type
#define WEIR_VALUE_(name)       name
#define WEIR_BOOL_              _Bool
#define WEIR_STATIC_ASSERT_     _Static_assert
#define WEIR_CAST_(type, value) ((type)(value))
#define WEIR_ADDRESS_(pointer)  ((uint64_t)(uintptr_t)(pointer))
#define WEIR_C_
#define WEIR_C_END_

#endif

/* Per type: parameters, words, classes, kinds, type. `bool` is a macro in C. */
#define WEIR_PARAM_(type, name)   WEIR_PARAM_##type##_(name)
#define WEIR_PARAM_i8_(name)      WEIR_INTEGER_(int8_t) name
#define WEIR_PARAM_i16_(name)     WEIR_INTEGER_(int16_t) name
#define WEIR_PARAM_i32_(name)     WEIR_INTEGER_(int32_t) name
#define WEIR_PARAM_i64_(name)     WEIR_INTEGER_(int64_t) name
#define WEIR_PARAM_u8_(name)      WEIR_INTEGER_(uint8_t) name
#define WEIR_PARAM_u16_(name)     WEIR_INTEGER_(uint16_t) name
#define WEIR_PARAM_u32_(name)     WEIR_INTEGER_(uint32_t) name
#define WEIR_PARAM_u64_(name)     WEIR_INTEGER_(uint64_t) name
#define WEIR_PARAM_f32_(name)     WEIR_FLOAT_(float) name
#define WEIR_PARAM_f64_(name)     WEIR_FLOAT_(double) name
#define WEIR_PARAM_bool_(name)    WEIR_INTEGER_(WEIR_BOOL_) name
#define WEIR_PARAM__Bool_(name)   WEIR_PARAM_bool_(name)
#define WEIR_PARAM_string_(name)  const char *name
#define WEIR_PARAM_bytes_(name)   const void *name, WEIR_INTEGER_(size_t) name##_size
#define WEIR_PARAM_pointer_(name) const volatile void *name

#define WEIR_PASS_(type, name)   WEIR_PASS_##type##_(name)
#define WEIR_PASS_i8_(name)      WEIR_CAST_(uint64_t, WEIR_CAST_(int64_t, WEIR_VALUE_(name)))
#define WEIR_PASS_i16_(name)     WEIR_PASS_i8_(name)
#define WEIR_PASS_i32_(name)     WEIR_PASS_i8_(name)
#define WEIR_PASS_i64_(name)     WEIR_PASS_i8_(name)
#define WEIR_PASS_u8_(name)      WEIR_CAST_(uint64_t, WEIR_VALUE_(name))
#define WEIR_PASS_u16_(name)     WEIR_PASS_u8_(name)
#define WEIR_PASS_u32_(name)     WEIR_PASS_u8_(name)
#define WEIR_PASS_u64_(name)     WEIR_PASS_u8_(name)
#define WEIR_PASS_f32_(name)     weir_f32_word_(WEIR_VALUE_(name))
#define WEIR_PASS_f64_(name)     weir_f64_word_(WEIR_VALUE_(name))
#define WEIR_PASS_bool_(name)    WEIR_PASS_u8_(name)
#define WEIR_PASS__Bool_(name)   WEIR_PASS_u8_(name)
#define WEIR_PASS_string_(name)  WEIR_ADDRESS_(name)
#define WEIR_PASS_bytes_(name)   WEIR_ADDRESS_(name), WEIR_PASS_u64_(name##_size)
#define WEIR_PASS_pointer_(name) WEIR_ADDRESS_(name)

#define WEIR_FIELD_CLASS_(type, name) WEIR_CLASS_##type##_
#define WEIR_CLASS_i8_                WEIR_CLASS_INT
#define WEIR_CLASS_i16_               WEIR_CLASS_INT
#define WEIR_CLASS_i32_               WEIR_CLASS_INT
#define WEIR_CLASS_i64_               WEIR_CLASS_INT
#define WEIR_CLASS_u8_                WEIR_CLASS_INT
#define WEIR_CLASS_u16_               WEIR_CLASS_INT
#define WEIR_CLASS_u32_               WEIR_CLASS_INT
#define WEIR_CLASS_u64_               WEIR_CLASS_INT
#define WEIR_CLASS_f32_               WEIR_CLASS_F32
#define WEIR_CLASS_f64_               WEIR_CLASS_F64
#define WEIR_CLASS_bool_              WEIR_CLASS_INT
#define WEIR_CLASS__Bool_             WEIR_CLASS_INT
#define WEIR_CLASS_string_            WEIR_CLASS_POINTER
#define WEIR_CLASS_bytes_             WEIR_CLASS_POINTER, WEIR_CLASS_INT
#define WEIR_CLASS_pointer_           WEIR_CLASS_POINTER

/* What C's checks tell apart; two bits, so that all arguments fit two enumerators. */
#define WEIR_KIND_INTEGER_ 0
#define WEIR_KIND_FLOAT_   1
#define WEIR_KIND_STRING_  2
#define WEIR_KIND_POINTER_ 3

#define WEIR_FIELD_KIND_(type, name) WEIR_KIND_##type##_
#define WEIR_KIND_i8_                WEIR_KIND_INTEGER_
#define WEIR_KIND_i16_               WEIR_KIND_INTEGER_
#define WEIR_KIND_i32_               WEIR_KIND_INTEGER_
#define WEIR_KIND_i64_               WEIR_KIND_INTEGER_
#define WEIR_KIND_u8_                WEIR_KIND_INTEGER_
#define WEIR_KIND_u16_               WEIR_KIND_INTEGER_
#define WEIR_KIND_u32_               WEIR_KIND_INTEGER_
#define WEIR_KIND_u64_               WEIR_KIND_INTEGER_
#define WEIR_KIND_f32_               WEIR_KIND_FLOAT_
#define WEIR_KIND_f64_               WEIR_KIND_FLOAT_
#define WEIR_KIND_bool_              WEIR_KIND_INTEGER_
#define WEIR_KIND__Bool_             WEIR_KIND_INTEGER_
#define WEIR_KIND_string_            WEIR_KIND_STRING_
#define WEIR_KIND_bytes_             WEIR_KIND_POINTER_, WEIR_KIND_INTEGER_
#define WEIR_KIND_pointer_           WEIR_KIND_POINTER_

#define WEIR_FIELD_(type, name)            \
	{                                  \
#name, WEIR_TYPE_##type##_ \
	}
#define WEIR_TYPE_i8_      WEIR_I8
#define WEIR_TYPE_i16_     WEIR_I16
#define WEIR_TYPE_i32_     WEIR_I32
#define WEIR_TYPE_i64_     WEIR_I64
#define WEIR_TYPE_u8_      WEIR_U8
#define WEIR_TYPE_u16_     WEIR_U16
#define WEIR_TYPE_u32_     WEIR_U32
#define WEIR_TYPE_u64_     WEIR_U64
#define WEIR_TYPE_f32_     WEIR_F32
#define WEIR_TYPE_f64_     WEIR_F64
#define WEIR_TYPE_bool_    WEIR_BOOL
#define WEIR_TYPE__Bool_   WEIR_BOOL
#define WEIR_TYPE_string_  WEIR_STRING
#define WEIR_TYPE_bytes_   WEIR_BYTES
#define WEIR_TYPE_pointer_ WEIR_POINTER

#ifdef __cplusplus

#define WEIR_KINDS_(id, kinds, count)
#define WEIR_FIRE_DECLARED_(n, provider, probe, ...)                                \
	(provider##_##probe##_enabled()                                             \
	     ? provider##_##probe##_call_(WEIR_SELECT_(WEIR_ARGS_, n)(__VA_ARGS__)) \
	     : (void)0)

#else

#define WEIR_KINDS_(id, kinds, count)                      \
	enum {                                             \
		id##_args_ = count,                        \
		id##_kinds_low_ = (int)(kinds & 0xffffff), \
		id##_kinds_high_ = (int)(kinds >> 24)      \
	};
#define WEIR_FIRE_DECLARED_(n, provider, probe, ...)                                         \
	__extension__({                                                                      \
		_Static_assert(n - 1 == provider##_##probe##_args_,                          \
		               "wrong number of arguments for probe " #provider ":" #probe); \
		WEIR_SELECT_(WEIR_CHECK_, n)                                                 \
		(WEIR_CHECK_ARG_, provider##_##probe, 0,                                     \
		 __VA_ARGS__) if (provider##_##probe##_enabled())                            \
		    provider##_##probe##_call_(WEIR_SELECT_(WEIR_ARGS_, n)(__VA_ARGS__));    \
	})

/* What an argument is: a kind of field, a pointer that C lets be any other, or nothing that fits. */
#define WEIR_KIND_VOID_   4
#define WEIR_KIND_OTHER_  5
/* The inner choice: a float would be promoted, with a warning. */
#define WEIR_CLASSIFY_(x) __builtin_classify_type(_Generic((x), float : 0.0, default : (x)))
/* 1 to 4: integers; 5: pointers; 8: real floating types; 18: clang's _BitInt. */
#define WEIR_ARG_KIND_(x) \
	_Generic((x),                                                       \
		char *: WEIR_KIND_STRING_,                                  \
		const char *: WEIR_KIND_STRING_,                            \
		void *: WEIR_KIND_VOID_,                                    \
		const void *: WEIR_KIND_VOID_,                              \
		default: WEIR_CLASSIFY_(x) == 5 ? WEIR_KIND_POINTER_        \
		         : WEIR_CLASSIFY_(x) == 8 ? WEIR_KIND_FLOAT_        \
		         : WEIR_CLASSIFY_(x) <= 4 || WEIR_CLASSIFY_(x) == 18 \
		             ? WEIR_KIND_INTEGER_                           \
		             : WEIR_KIND_OTHER_)
#define WEIR_KIND_OF_(id, i)                                        \
	((i) < 12 ? id##_kinds_low_ >> ((i) < 12 ? 2 * (i) : 0) & 3 \
	          : id##_kinds_high_ >> ((i) < 12 ? 0 : 2 * ((i)-12)) & 3)
#define WEIR_FITS_(field, arg)                                                                   \
	((field) == WEIR_KIND_INTEGER_  ? (arg) == WEIR_KIND_INTEGER_                            \
	 : (field) == WEIR_KIND_FLOAT_  ? (arg) <= WEIR_KIND_FLOAT_                              \
	 : (field) == WEIR_KIND_STRING_ ? (arg) == WEIR_KIND_STRING_ || (arg) == WEIR_KIND_VOID_ \
	                                : (arg) >= WEIR_KIND_STRING_ && (arg) <= WEIR_KIND_VOID_)
#define WEIR_CHECK_ARG_(id, i, x)                                                                \
	_Static_assert((i) >= id##_args_ || WEIR_FITS_(WEIR_KIND_OF_(id, i), WEIR_ARG_KIND_(x)), \
	               "wrong type of argument `" #x "` of probe " #id)

#endif

#if defined(__has_attribute)
#if __has_attribute(retain)
#define WEIR_RETAIN_ , retain /* linkers that would drop the section with --gc-sections */
#endif
#endif
#ifndef WEIR_RETAIN_
#define WEIR_RETAIN_
#endif

#define WEIR_INLINE_ static inline __attribute__((always_inline, unused))

#define WEIR_SELECT_(prefix, n) WEIR_CAT_(WEIR_CAT_(prefix, n), _)

/* Lists of arguments begin with a head, so that they are never empty. */
#define WEIR_PASS_head_(name) weir_probe_, weir_signature_
#define WEIR_CLASS_head_      0
#define WEIR_KIND_head_       0
#define WEIR_TYPE_head_       WEIR_I8
#define WEIR_PACKED_(...)     WEIR_SELECT_(WEIR_PACK_, WEIR_COUNT_(__VA_ARGS__))(__VA_ARGS__)

/* `fields` is their number plus one, `headed` plus two; the field list ends with a dummy. */
#define WEIR_DECLARE_(fields, headed, options, provider, probe, ...)                               \
	WEIR_DECLARE2_(WEIR_SELECT_(WEIR_EACH_, fields), WEIR_SELECT_(WEIR_EACH_, headed), fields, \
	               options, #provider, #probe, provider##_##probe, provider##_weir_##probe,    \
	               __VA_ARGS__)
#define WEIR_DECLARE2_(each, headed, count_, opts, provider_, probe_, id, slot, ...)          \
	WEIR_STATIC_ASSERT_(count_ - 1 <= WEIR_FIELDS_MAX, "a probe has at most 12 fields");  \
	WEIR_C_                                                                               \
	extern struct weir_probe *slot;                                                       \
	__attribute__((weak, visibility("hidden"))) struct weir_probe *slot = weir_probe_off; \
	WEIR_C_END_                                                                           \
	static const struct weir_field id##_fields_[] = { headed(WEIR_FIELD_, , (head, ~),    \
		                                                 __VA_ARGS__) };              \
	static const struct weir_declaration id##_declaration_ = {                            \
		sizeof(struct weir_declaration),                                              \
		provider_,                                                                    \
		probe_,                                                                       \
		id##_fields_ + 1,                                                             \
		count_ - 1,                                                                   \
		opts,                                                                         \
		&slot                                                                         \
	};                                                                                    \
	static const struct weir_declaration *const id##_listed_                              \
	    __attribute__((used, section("weir_probes") WEIR_RETAIN_)) = &id##_declaration_;  \
	WEIR_KINDS_(id, (WEIR_PACKED_(headed(WEIR_FIELD_KIND_, , (head, ~), __VA_ARGS__))),   \
	            WEIR_COUNT_(headed(WEIR_FIELD_KIND_, , (head, ~), __VA_ARGS__)))          \
	WEIR_INLINE_ WEIR_BOOL_ id##_enabled(void)                                            \
	{                                                                                     \
		return weir_enabled(__atomic_load_n(&slot, __ATOMIC_ACQUIRE));                \
	}                                                                                     \
	WEIR_INLINE_ void id##_call_(each(WEIR_PARAM_, void, __VA_ARGS__))                    \
	{                                                                                     \
		struct weir_probe *weir_probe_ = __atomic_load_n(&slot, __ATOMIC_ACQUIRE);    \
		WEIR_CALL_DECLARED_(headed, __VA_ARGS__);                                     \
	}                                                                                     \
	WEIR_INLINE_ void id##_fire(each(WEIR_PARAM_, void, __VA_ARGS__))                     \
	{                                                                                     \
		struct weir_probe *weir_probe_ = __atomic_load_n(&slot, __ATOMIC_ACQUIRE);    \
		if (weir_enabled(weir_probe_)) {                                              \
			WEIR_CALL_DECLARED_(headed, __VA_ARGS__);                             \
		}                                                                             \
	}

/* Inside a function with the fields as parameters; the head of the list names the first two. */
#define WEIR_CALL_DECLARED_(headed, ...)                                                       \
	const uint64_t weir_signature_ =                                                       \
	    WEIR_SIGNATURE(WEIR_COUNT_(headed(WEIR_FIELD_CLASS_, , (head, ~), __VA_ARGS__)),   \
	                   WEIR_PACKED_(headed(WEIR_FIELD_CLASS_, , (head, ~), __VA_ARGS__))); \
	(void)WEIR_SELECT_(weir_call_,                                                         \
	                   WEIR_COUNT_(headed(WEIR_FIELD_CLASS_, , (head, ~), __VA_ARGS__)))(  \
	    headed(WEIR_PASS_, , (head, ~), __VA_ARGS__))

#endif
