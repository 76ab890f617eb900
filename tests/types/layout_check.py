# SPDX-License-Identifier: MIT
"""Every struct, union and enum of a file, as libdw reads its DWARF, against what weir makes of it.

usage: layout_check.py WEIR LAYOUTS [--btf-only] FILE...      (LAYOUTS: layouts.c, built)

1. The BTF of `weir types build` has each layout of the DWARF, and has no other.
2. The output of `weir types dump --c` compiles, by gcc and clang, and generated from the DWARF's
   layouts, sizeof and offsetof of every struct, union and member and the value of every enumerator
   are static assertions behind it; the bits of bit-fields, for which C has no constant expression,
   are compared when it runs. What C cannot name from outside (a struct without a name that only a
   variable or a function has) is in 1 alone. What is not C has other names in its DWARF than in C,
   and a .BTF section has no DWARF: the assertions are generated from the BTF that 1 has compared.

1 is left out for Rust, whose enums layouts.c does not know. Prints a line a file; fails if a layout
differs.
"""
import json
import os
import re
import shutil
import sys
import tempfile

from btf import Btf
from command import run

C_LANGUAGES = {1, 2, 0x0c, 0x1d, 0x2c, 0x8001, -1}
RUST = 0x1c
SHOWN = 12
OPAQUE = '__opaque'  # what a union without members gets in C, to have a size
PADDING = re.compile(r'__pad_\d+(___\d+)?$')  # members of the C alone
# Words of gnu11 that other languages, and C11, have for names: they get ___2.
WORDS = set("""auto break case char const continue default do double else enum extern float for goto if
inline int long register restrict return short signed sizeof static struct switch typedef union unsigned
void volatile while asm typeof linux unix _Float32 _Float64 _Float128 _Float32x _Float64x
__float128""".split())
ESCAPES = {'<': '_L', '>': '_R', ',': '_C', '*': '_P', '&': '_A', '(': '_O', ')': '_E', '[': '_B',
           ']': '_D'}
# A struct that stands for what BTF has no word for; others have the name of a base type.
STANDS_FOR = re.compile(r'__member_(function_)?pointer$')


def mangle(name):
    """docs/types.md: names are mangled into identifiers, the long ones cut."""
    if re.fullmatch(r'[A-Za-z_]\w*', name, re.A):
        return name
    out = '_' if name[:1].isdigit() else ''
    i = 0
    while i < len(name):
        c = name[i]
        if len(out) >= 480:
            return out[:480]
        if c == '_' or (c.isalnum() and c.isascii()):
            out += c
        elif name[i:i + 2] == '::':
            out += '__'
            i += 1
        elif c == ' ':
            words = [x for x in (name[i - 1:i], name[i + 1:i + 2]) if re.match(r'\w', x, re.A)]
            out += '_' if len(words) == 2 else ''
        else:
            out += ESCAPES.get(c) or ''.join('_x%02x' % b for b in c.encode())
        i += 1
    return out


# --- a layout: (kind, size, members) with members as (name, bit offset, bits, bytes, path, layout)

def from_dwarf(record, sizes=True):
    """sizes=False: without those of members, whose type in C++ may be only declared in a unit."""
    kind, _, size, members = record
    if kind == 'enum':
        mask = (1 << 8 * size) - 1
        return kind, size, tuple(sorted((mangle(n), v & mask) for n, v in members))
    return kind, size, tuple(sorted(
        (member_name(name), offset, bits, max(bytes_, 0) if sizes else 0, path,
         from_dwarf(inner, sizes) if inner else ())
        for name, offset, bits, bytes_, path, inner in members if name != OPAQUE))


def member_name(name):
    """The BTF has names that begin with __base for bases, the source may have others that do."""
    return '<base>' if name == '<base>' or name.startswith('__base') else name and mangle(name)


class BtfLayouts:
    """with_names: of bases, too, and with virtual ones, as the C has them."""

    def __init__(self, path, with_sizes, with_names=False):
        self.btf, self.with_sizes, self.with_names = Btf(path), with_sizes, with_names
        self.sizes = {}
        self.lost = set()  # members that C cannot have

    def size(self, ident):
        if ident not in self.sizes:
            t = self.btf.types[ident]
            if t.kind in ('TYPEDEF', 'CONST', 'VOLATILE', 'RESTRICT', 'TYPE_TAG'):
                self.sizes[ident] = self.size(t.type)
            elif t.kind == 'ARRAY':
                self.sizes[ident] = t.items[2] * self.size(t.items[0])
            elif t.kind == 'PTR':
                self.sizes[ident] = 8
            else:
                self.sizes[ident] = t.size if t.kind not in ('FUNC_PROTO', 'FWD', 'VOID') else 0
        return self.sizes[ident]

    def is_declared(self, ident):
        t = self.btf.real(ident)
        while t.kind == 'ARRAY':
            t = self.btf.real(t.items[0])
        return t.kind in ('FWD', 'VOID')

    def is_lost(self, t, ident, offset, bits):
        """Of a type that is only declared; beyond the end, as in Rust what has no size."""
        return self.is_declared(ident) or offset + (bits or self.size(ident) * 8) > t.size * 8

    def inner(self, ident):
        path = ''
        while True:
            t = self.btf.types[ident]
            if t.kind == 'PTR':
                path, ident = path + '*', t.type
            elif t.kind == 'ARRAY':
                path, ident = path + '[', t.items[0]
            elif t.kind in ('CONST', 'VOLATILE', 'RESTRICT', 'TYPE_TAG'):
                ident = t.type
            elif t.kind in ('STRUCT', 'UNION') and not t.name:
                return path, self.layout(t)
            else:
                return '', ()

    def layout(self, t):
        if t.kind.startswith('ENUM'):
            mask = (1 << 8 * t.size) - 1
            return 'enum', t.size, tuple(sorted((n, v & mask) for n, v in t.items))
        members = []
        for name, ident, offset, bits in self.btf.members(t):
            if self.with_names and self.is_lost(t, ident, offset, bits):
                self.lost.add((t.id, name))
                continue
            if not self.with_names:
                if name.startswith('__virtual_'):  # says where a virtual base is, takes no place
                    continue
                name = member_name(name)
            size = self.size(ident) if self.with_sizes else 0
            members.append((name, offset, bits, size) + self.inner(ident))
        return t.kind.lower(), t.size, tuple(sorted(members))

    def all(self):
        for t in self.btf.types:
            if t.kind in ('STRUCT', 'UNION', 'ENUM', 'ENUM64'):
                yield t.name, self.layout(t)

    def records(self):
        """As layouts.c prints them."""
        for t in self.btf.types:
            if t.kind == 'TYPEDEF':
                path, inner = self.inner(t.type)
                if inner and not path:
                    yield ['typedef', t.name, inner_record(inner)]
            elif t.kind in ('STRUCT', 'UNION'):
                yield named_record(t.name, self.layout(t))
            elif t.kind.startswith('ENUM'):
                yield ['enum', t.name, t.size, [list(x) for x in t.items]]


def inner_record(layout):
    return named_record('', layout) if layout else None


def named_record(name, layout):
    kind, size, members = layout
    return [kind, name, size, [list(m[:5]) + [inner_record(m[5])] for m in members]]


def endings(name):
    """What a BTF's name may be in the DWARF, where scopes are not part of it."""
    yield name
    at = name.find('__')
    while at >= 0:
        yield name[at + 2:]
        at = name.find('__', at + 1)


def is_cut(name):
    return len(name) > 480 and re.search('_h[0-9a-f]{16}$', name)


def is_nothing(layout, names):
    """An enum that is only declared; what stands for a type that is not there."""
    return not layout[2] and (layout[0] == 'enum' or (not layout[1] and names == {''}))


def compare_layout(layout, have, want, problems):
    """Names of one layout in the BTF and in the DWARF. Of names that are cut only the layout counts."""
    if not want and is_nothing(layout, have):
        return
    possible = {e for name in have for e in endings(name)}
    if not any(map(is_cut, have)):
        problems += ['the BTF lacks %s %s %s' % (layout[0], name or '(no name)', layout)
                     for name in want - possible]
    problems += ['only the BTF has %s %s %s' % (layout[0], name or '(no name)', layout)
                 for name in have - want if not (is_cut(name) and want) and
                 not STANDS_FOR.match(name) and want.isdisjoint(filter(None, endings(name)))]


def compare_btf(records, path, sizes):
    have, want, problems = {}, {}, []
    for record in records:
        if record[0] not in ('typedef', 'base'):
            want.setdefault(from_dwarf(record, sizes), set()).add(mangle(record[1]) if record[1] else '')
    stands_for = {mangle(x[1]) for x in records if x[0] == 'base'}
    for name, layout in BtfLayouts(path, sizes).all():
        if name not in stands_for or layout in want:
            have.setdefault(layout, set()).add(name)
    for layout in want.keys() | have.keys():
        compare_layout(layout, have.get(layout, set()), want.get(layout, set()), problems)
    return sum(map(len, want.values())), problems


# --- C

class Asserts:
    HEAD = '''
static unsigned char buffer[1 << 24] __attribute__((aligned(4096)));
static int bad;
static void bits(unsigned long size, unsigned long from, unsigned long count, const char *what)
{
	for (unsigned long i = 0; i < size * 8; i++) {
		int want = i >= from && i < from + count, have = buffer[i / 8] >> (i % 8) & 1;
		if (want != have) {
			__builtin_printf("%s: bit %lu is %d\\n", what, i, have);
			bad = 1;
			return;
		}
	}
}
'''

    def __init__(self):
        self.static, self.run, self.types = [], [], 0

    def add(self, condition, what):
        self.static.append('_Static_assert(%s, "%s");' % (condition, what))

    def record(self, spelled, record):
        self.types += 1
        self.add('sizeof(%s) == %d' % (spelled, record[2]), 'sizeof(%s) is %d' % (spelled, record[2]))
        self.members(spelled, record[3], '', 0)

    def members(self, spelled, members, prefix, base):
        for name, offset, bits, size, path, inner in members:
            if not name:
                if inner and not path:
                    self.members(spelled, inner[3], prefix, base + offset)
                continue
            full, at = prefix + name + ('___2' if name in WORDS else ''), base + offset
            if bits:
                self.bits(spelled, full, at, bits)
                continue
            self.add('__builtin_offsetof(%s, %s) * 8 == %d' % (spelled, full, at),
                     'offsetof(%s, %s) is %d' % (spelled, full, at // 8))
            if size > 0:
                self.add('sizeof(((%s *)0)->%s) == %d' % (spelled, full, size),
                         'sizeof(%s.%s) is %d' % (spelled, full, size))
            if inner:
                self.inner(spelled, full, at, path, inner)

    def inner(self, spelled, full, at, path, inner):
        if '*' not in path:
            self.members(spelled, inner[3], full + '[0]' * len(path) + '.', at)
            return
        place = '((%s *)0)->%s' % (spelled, full)
        for step in path:
            place = '(*%s)' % place if step == '*' else '%s[0]' % place
        self.record('__typeof__(%s)' % place, inner)

    def bits(self, spelled, full, at, count):
        # an assignment changes exactly these bits
        self.run.append('{ %s *p = (void *)buffer; for (unsigned long i = 0; i < sizeof(*p); i++) '
                        'buffer[i] = 0; p->%s = -1; bits(sizeof(*p), %d, %d, "%s.%s"); }' %
                        (spelled, full, at, count, spelled, full))

    def text(self):
        parts, out = [self.run[i:i + 500] for i in range(0, len(self.run), 500)], self.static[:]
        out.append(self.HEAD)
        for i, part in enumerate(parts):
            out += ['static void check%d(void)\n{' % i] + part + ['}']
        out += ['int main(void)\n{'] + ['check%d();' % i for i in range(len(parts))]
        return '\n'.join(out + ['return bad;', '}']) + '\n'


def records_of(layouts, path):
    r = run(layouts, path)
    if r.returncode:
        raise SystemExit('%s: %s' % (path, r.stderr))
    records = [json.loads(line) for line in r.stdout.splitlines()]
    return ([x for x in records if x[0] != 'language'],
            {x[1] for x in records if x[0] == 'language'})


def key(record):
    return record[0], re.sub(r'___\d+$', '', record[1])


def contents(record):
    """A layout as it can be named: what has no name is a part of what it is in, padding is not."""
    record = record[2] if record[0] == 'typedef' else record
    if record[0] == 'enum':
        return from_dwarf(record)
    return record[0], record[2], tuple(sorted(flat(record[3], 0)))


def flat(members, base):
    for name, offset, bits, bytes_, path, inner in members:
        if not name and inner and not path:
            yield from flat(inner[3], base + offset)
        elif name and name != OPAQUE and not PADDING.match(name):
            stem = re.sub(r'___2$', '', name)
            yield (stem if stem in WORDS else mangle(name), base + offset, bits, max(bytes_, 0), path,
                   contents(inner) if inner else ())


def numbered_names(layouts, obj):
    """Types of one name get ___2, ___3 in C: which of them is which, from the compiler's DWARF."""
    out = {}
    for record in records_of(layouts, obj)[0]:
        if record[1] and record[0] != 'base':
            out.setdefault(key(record) + (contents(record),), record[1])
    return out


def assertions(records, numbered):
    a, problems, enumerators = Asserts(), [], {}
    names, enums = {}, {x[1] for x in records if x[0] == 'enum'}
    for record in records:
        names.setdefault(key(record), []).append(record)
        for name, value in record[3] if record[0] == 'enum' else ():
            enumerators.setdefault(name, set()).add((value, record[2]))
    for (kind, name), group in names.items():
        if not name or kind in ('enum', 'base'):
            continue
        for record in group:
            spelled = name
            # there may be a typedef, or an enum, of something else, too
            if len(group) > 1 or kind == 'typedef' or name in WORDS or name in enums:
                spelled = numbered.get((kind, name, contents(record)))
                if not spelled:
                    problems.append('no %s %s of the C has the layout %s' %
                                    (kind, name, contents(record)))
                    continue
            tag = '' if kind == 'typedef' else kind + ' '
            a.record(tag + spelled, record[2] if kind == 'typedef' else record)
    for name, values in enumerators.items():
        if len(values) == 1:
            (value, size), = values
            a.add('((unsigned long)%s ^ %dul) << %d == 0' %
                  (name, value & (1 << 64) - 1, 64 - 8 * size), '%s is %d' % (name, value))
    return a, problems


def compilers():
    yield ['gcc', '-std=gnu11', '-w', '-fno-strict-aliasing', '-fmax-errors=0']
    if shutil.which('clang'):
        yield ['clang', '-std=gnu11', '-w', '-fno-strict-aliasing', '-ferror-limit=0',
               '-fbracket-depth=2048']


def compare_by(compiler, source, program):
    r = run(*compiler, source, '-o', program)
    problems = ['%s: %s' % (compiler[0], x.split('error: ')[1])
                for x in r.stderr.splitlines() if 'error: ' in x]
    if not r.returncode:
        r = run(program)
        problems += ['%s: %s' % (compiler[0], x) for x in r.stdout.splitlines()]
    if r.returncode and not problems:
        problems.append('%s: exit status %d %s' % (compiler[0], r.returncode, r.stderr))
    return problems


def compare_c(weir, layouts, path, records, lost, folder, options):
    source, check = os.path.join(folder, 'types.c'), os.path.join(folder, 'check.c')
    obj, program = os.path.join(folder, 'types.so'), os.path.join(folder, 'check')
    r = run(weir, 'types', 'dump', '--no-cache', *options, '--c', path)
    said = re.findall(r'(\d+) members (?:of types that are only declared|that reach beyond)', r.stderr)
    if r.returncode or sum(map(int, said)) != lost:
        return 0, 0, ['weir types dump --c: %s' % r.stderr.strip()]
    with open(source, 'w') as f:
        f.write(r.stdout)
    r = run('gcc', '-std=gnu11', '-w', '-g', '-fno-eliminate-unused-debug-types', '-shared', '-fPIC',
            source, '-o', obj)
    if r.returncode:
        return 0, 0, ['the C does not compile: ' + x for x in r.stderr.splitlines() if 'error' in x]
    a, problems = assertions(records, numbered_names(layouts, obj))
    with open(check, 'w') as f:
        f.write('#define const\n#include "types.c"\n' + a.text())
    for compiler in compilers():
        problems += compare_by(compiler, check, program)
    return a.types, len(a.static) + len(a.run), problems


def has_dwarf(path):
    return '.debug_info' in run('readelf', '-SW', path).stdout


def check_file(weir, layouts, path, btf_only):
    records, languages = records_of(layouts, path) if has_dwarf(path) else ([], {RUST})
    in_c, count, problems = languages <= C_LANGUAGES, 0, []
    with tempfile.TemporaryDirectory() as folder:
        btf = os.path.join(folder, 'out.btf')
        r = run(weir, 'types', 'build', '--no-cache', '--allow-loss', '-o', btf, path)
        if r.returncode:
            return ['weir types build: %s' % r.stderr.strip()], ''
        text = ''
        if RUST not in languages:
            count, problems = compare_btf(records, btf, in_c)
            text = '%d layouts, ' % count
            if not count:
                problems.append('the DWARF has no layout')
        if not btf_only:
            lost = 0
            if not in_c:
                have = BtfLayouts(btf, True, True)
                records, lost = list(have.records()), len(have.lost)
            types, asserts, more = compare_c(weir, layouts, path, records, lost, folder,
                                             [] if in_c else ['--allow-loss'])
            problems += more
            text += '%d structs compiled, %d assertions' % (types, asserts)
            text += ', %d members said to be left out' % lost if lost else ''
            if not asserts:
                problems.append('nothing was asserted')
        return problems, text


def check_files(weir, layouts, files, btf_only=False):
    weir, layouts = os.path.abspath(weir), os.path.abspath(layouts)
    failed = 0
    for path in files:
        problems, text = check_file(weir, layouts, path, btf_only)
        for problem in problems[:SHOWN]:
            print('  ' + problem[:600])
        print('%s %s: %s, %d mismatches' % ('FAIL' if problems else 'ok  ', path, text,
                                            len(problems)), flush=True)
        failed += bool(problems)
    print('%d files, %d with mismatches' % (len(files), failed))
    return 1 if failed else 0


def main():
    args = [x for x in sys.argv[1:] if x != '--btf-only']
    if len(args) < 3:
        raise SystemExit(__doc__)
    return check_files(args[0], args[1], args[2:], len(args) + 1 < len(sys.argv))


if __name__ == '__main__':
    sys.exit(main())
