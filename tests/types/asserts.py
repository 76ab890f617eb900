# SPDX-License-Identifier: MIT
"""BTF -> a C program that holds every struct of it against the compiler.

usage: asserts.py BTF HEADER > check.c

sizeof and offsetof are static assertions; of a bit-field, the bits that an assignment changes are
compared at run time, and the values of enums. Types that HEADER does not declare must be excluded
by the caller (only those whose name begins with `t_` are taken).
"""
import sys

from btf import Btf


def spelled(btf):
    """(how C names it, type) of each struct and union with a name of its own or of a typedef."""
    for t in btf.types:
        if t.kind in ('STRUCT', 'UNION') and t.name.startswith('t_') and t.items:
            yield '%s %s' % (t.kind.lower(), t.name), t
        if t.kind == 'TYPEDEF' and t.name.startswith('t_'):
            to = btf.types[t.type]
            if to.kind in ('STRUCT', 'UNION') and not to.name:
                yield t.name, to


def fields(btf, t, base=0):
    """Named members, those of anonymous members among them."""
    for name, ident, offset, bits in btf.members(t):
        if name:
            yield name, base + offset, bits
        else:
            inner = btf.real(ident)
            if inner.kind in ('STRUCT', 'UNION'):
                yield from fields(btf, inner, base + offset)


def main():
    btf = Btf(sys.argv[1])
    assert btf.is_sorted(), 'types are not sorted by name'
    print('#include <stddef.h>\n#include <stdio.h>\n#include <string.h>\n#include "%s"' % sys.argv[2])
    print('''static int bad;
static void bits(const void *p, size_t size, unsigned from, unsigned count, const char *what)
{
	const unsigned char *c = p;
	for (size_t i = 0; i < size * 8; i++) {
		int want = i >= from && i < from + count, have = c[i / 8] >> (i % 8) & 1;
		if (want != have) { printf("%s: bit %zu\\n", what, i); bad = 1; return; }
	}
}
#define ENUM(name, value) do { if ((long long)(name) != (long long)(value)) \\
	{ printf("%s is %lld\\n", #name, (long long)(name)); bad = 1; } } while (0)
int main(void)
{''')
    count = 0
    for how, t in spelled(btf):
        count += 1
        print('\t_Static_assert(sizeof(%s) == %d, "%s");' % (how, t.size, how))
        for name, offset, bits in fields(btf, t):
            if bits:
                print('\t{ %s x; memset(&x, 0, sizeof(x)); x.%s = -1; bits(&x, sizeof(x), %d, %d, '
                      '"%s.%s"); }' % (how, name, offset, bits, how, name))
            else:
                assert offset % 8 == 0
                print('\t_Static_assert(offsetof(%s, %s) == %d, "%s.%s");' %
                      (how, name, offset // 8, how, name))
    for t in btf.types:
        if t.kind in ('ENUM', 'ENUM64') and t.name.startswith('t_'):
            count += 1
            print('\t_Static_assert(sizeof(enum %s) == %d, "%s");' % (t.name, t.size, t.name))
            for name, value in t.items:
                print('\tENUM(%s, %s);' % (name, '%dULL' % value if value >= 0 else '(-%dLL - 1)' %
                                           (-value - 1)))
    print('\tprintf("%d types\\n");\n\treturn bad;\n}' % count)
    assert count


main()
