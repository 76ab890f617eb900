/* SPDX-License-Identifier: MIT */
#ifndef PACKED_H
#define PACKED_H

#define PACKED   __attribute__((packed))
#define ALIGN(n) __attribute__((aligned(n)))

union u3 {
	char a[5];
	int b;
} PACKED;
struct has_u3 {
	char c;
	union u3 u[2];
	long l;
	union u3 last;
};
struct packed_aligned {
	char c;
	long l;
	short s;
} PACKED ALIGN(8);
struct packed_even { /* as a compiler would lay it out, but for its alignment */
	int a;
	int b;
} PACKED;
struct in_packed {
	char c;
	struct packed_even even;
	struct {
		char d;
		struct packed_aligned pa;
	} PACKED in;
	long l;
};
struct wide {
	char c;
	__int128 i;
	char d;
	unsigned __int128 u;
	char e;
	long double ld;
	char f;
	struct {
		char g;
		long double h;
	} in[2];
#ifdef __SIZEOF_FLOAT128__
	char h;
	__float128 q;
#endif
	int after;
};
struct wide_bits {
	char c;
	unsigned __int128 a : 5;
	unsigned long long b : 60;
	unsigned __int128 d : 100;
	long l;
};
struct gaps {
	char a;
	int : 0;
	char b;
	int c : 3;
	int : 11;
	int d : 4;
	long : 0;
	int e : 1;
	long f : 33;
	_Bool g : 1;
	char h;
	int : 32;
	int : 32;
	short i;
};
typedef long long low_aligned ALIGN(4);
struct low { /* a member's type is less aligned than it is elsewhere */
	int a;
	low_aligned b;
	int c;
};
enum PACKED one { ONE_A = 255 };
enum PACKED one_signed { OS_A = -128, OS_B = 127 };
enum PACKED two { TWO_A = 256 };
enum two_by_mode { TM_A = 1 } __attribute__((mode(HI)));
enum eight_by_mode { EM_A = 1 } __attribute__((mode(DI)));
enum four { FOUR_A = 0x80000000u };
enum eight { EIGHT_A = 0x123456789abcdef0 };
enum eight_signed { ES_A = -1, ES_B = 0x80000000ll, ES_C = -0x7fffffffffffffffll - 1 };
enum only_declared;
enum apart { AP_A = 3 };
struct sizes {
	enum one a;
	enum one_signed b;
	enum two c;
	enum two_by_mode cm;
	enum one a2;
	enum eight_by_mode cd;
	enum four d;
	enum eight e;
	enum eight_signed f;
	enum one in_bits : 3;
	enum eight e_bits : 61;
	enum { IN_A, IN_B = 70000 } in;
	enum PACKED { IN_C, IN_D = -7 } in_packed[3];
	enum only_declared *declared;
};
/* names that other languages give */
struct words {
	int typeof;
	int asm;
	int unix;
	int bool;
	struct {
		int linux : 3;
	};
};
struct empty_first {
	struct {
	} none;
	int zero[0];
	struct {
		int n;
		char flexible[];
	} end;
};
struct over {
	char c;
} ALIGN(32);
struct line {
	struct over o[2];
	char c;
	struct {
		int a;
		int b ALIGN(64);
	} in;
	struct {
		char only;
	} ALIGN(16) tail;
};
union padded_union {
	char c;
	short s[3];
} ALIGN(16);
typedef struct over overs[2];
typedef overs more_overs[3];
struct pointers {
	int (*array)[3];
	int *(*of_pointers[2])(struct over, int (*)(void), ...);
	const volatile int *restrict const *volatile cv;
	overs o;
	more_overs m;
	overs *po;
	struct later (*f)(struct later *, union later_union);
	void (*(*g)(void (*)(const overs)))(struct { int x; } *);
	const struct {
		int y;
	} *const y;
	int none;
};
struct circle {
	struct circle *self, *(*f)(struct circle *[]);
	struct around {
		struct circle *back;
		struct around *const around[2];
	} * around;
	union {
		struct circle *a;
		struct {
			struct circle *b;
		} in[2];
	};
};
struct huge {
	char c;
	char large[70000] ALIGN(4096);
} PACKED;
struct bits_across {
	int a : 31;
	int b : 31;
	long c : 63;
	char d : 7;
	_Bool e : 1;
} PACKED;
union bits_in_union {
	int a : 3;
	long b : 37;
	char c[9];
} PACKED;
struct bits_only_end {
	char a;
	int b : 1;
};
struct transparent {
	union {
		int *i;
		long *l;
	} __attribute__((transparent_union)) arg;
};

#endif
