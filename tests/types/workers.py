# SPDX-License-Identifier: MIT
"""The same BTF whatever the number of workers, and however .debug_info is packed. usage: workers.py WEIR"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

WEIR = os.path.abspath(sys.argv[1])
UNITS = 24
HEADER = r'''
struct known; struct other;
struct node { struct node *next; struct known *known; struct pair { struct node *a; struct other *b; } pair; };
typedef int (*visit_fn)(struct node *, struct other *);
struct plain { struct plain *next; struct known *known; void (*free)(struct plain *, struct known **); };
struct table { struct plain plain; struct node *rows[7]; visit_fn visit; union { long l; struct known *k; } u; };
'''
# every third unit sees a definition; `other` has two, and nobody knows which one a unit means
UNIT = r'''
#include "common.h"
%(more)s
%(one)s
struct own%(n)d { struct table *t; char pad[%(n)d + 1]; } own%(n)d;
static struct table table;
int use%(n)d(struct node *n, struct other *o) { return table.visit ? table.visit(n, o) : (int)own%(n)d.pad[0]; }
'''
# seen by units that know the first definition, and by units that know none
ONE = 'struct one { struct other *o; } one%d;'
DEFINITIONS = {0: 'struct known { int x; struct node *n; };', 1: 'struct other { long first; };',
               2: 'struct other { char second[3]; };'}


def must(*argv):
    r = subprocess.run(argv, capture_output=True, text=True)
    assert not r.returncode, '%s: %s' % (argv, r.stderr)
    return r.stdout


def build(folder, jobs, *program):
    out = os.path.join(folder, 'out.btf')
    must(WEIR, 'types', 'build', '--no-cache', '-j', str(jobs), '-o', out, *program)
    with open(out, 'rb') as f:
        return f.read()


def main():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'common.h'), 'w') as f:
            f.write(HEADER)
        objects = []
        for n in range(UNITS):
            source = os.path.join(folder, 'u%02d.c' % n)
            with open(source, 'w') as f:
                f.write(UNIT % {'n': n, 'more': DEFINITIONS.get(n % 6, ''),
                                'one': ONE % n if n % 6 in (1, 3) else ''})
            must('gcc', '-g', '-O1', '-c', source, '-o', source + '.o')
            objects.append(source + '.o')
        main_c = os.path.join(folder, 'main.c')
        with open(main_c, 'w') as f:
            f.write('int main(void) { return 0; }\n')
        plain, packed = os.path.join(folder, 'plain'), os.path.join(folder, 'packed')
        must('gcc', '-g', main_c, *objects, '-o', plain)
        shutil.copy(plain, packed)
        must('objcopy', '--compress-debug-sections=zlib', packed)
        first = build(folder, 1, plain)
        for program in plain, packed:
            for jobs in 1, 2, 3, 8, 64:
                assert build(folder, jobs, program) == first, '%s, %d workers: other BTF' % (program, jobs)
        names = must('bpftool', 'btf', 'dump', 'file', os.path.join(folder, 'out.btf'))
        # what all units agree on is there once; the declaration became its definition
        assert names.count("STRUCT 'plain'") == 1, names
        assert names.count("STRUCT 'known'") == 1 and "FWD 'known'" not in names, names
        # three ways of leading to `other`: to one, to the other, and nobody knows to which
        assert names.count("STRUCT 'other'") == 2 and names.count("FWD 'other'") == 1, names
        assert names.count("STRUCT 'node'") == 3, names
        # only one definition fits here
        assert names.count("STRUCT 'one'") == 1, names
        pointer = re.search(r"STRUCT 'one' size=8 vlen=1\n\t'o' type_id=(\d+)", names).group(1)
        other = re.search(r"^\[%s\] PTR .* type_id=(\d+)$" % pointer, names, re.M).group(1)
        assert "[%s] STRUCT 'other' size=8" % other in names, names
        print('ok   %d units, %d bytes of BTF' % (UNITS, len(first)))
        # a damaged section is an error, not other types
        with open(packed, 'r+b') as f:
            data = f.read()
            place = must('readelf', '-SW', packed).split('.debug_info')[1].split()[2]
            f.seek(int(place, 16) + 200)
            f.write(bytes(b ^ 0x55 for b in data[int(place, 16) + 200:int(place, 16) + 260]))
        r = subprocess.run([WEIR, 'types', 'build', '--no-cache', '-o', os.path.join(folder, 'x'), packed],
                           capture_output=True, text=True)
        assert r.returncode == 1 and 'debug_info' in r.stderr, r
        print('ok   a damaged section:', r.stderr.strip())


main()
