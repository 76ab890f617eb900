# SPDX-License-Identifier: MIT
"""Every struct, union and enum of a file's BTF against gdb's own reading of its DWARF.

usage: layout_gdb.py FILE BTF   (runs gdb on itself; needs bpftool)

Prints the mismatches and "N types compared, M mismatches, K not found"; fails if there is one.
Types whose name is ambiguous, or that gdb does not find by name, are counted apart.
"""
import json
import os
import subprocess
import sys


def btf_types(path):
    out = subprocess.run(['bpftool', '-j', 'btf', 'dump', 'file', path], check=True,
                         capture_output=True, text=True).stdout
    return {t['id']: t for t in json.loads(out)['types']}


def run_gdb(argv):
    env = dict(os.environ, LAYOUT_BTF=argv[2], LAYOUT_FILE=argv[1])
    return subprocess.call(['gdb', '-q', '-nx', '-batch', '-ex', 'set auto-load no', '-ex',
                            'set max-completions 0', '-x', os.path.abspath(__file__), argv[1]],
                           env=env)


def members_of_gdb(gdb, t):
    out = []
    for f in t.fields():
        if not hasattr(f, 'bitpos') or f.is_base_class:
            continue
        out.append((f.name or '', f.bitpos, f.bitsize))
    return sorted(out, key=lambda m: (m[1], m[0]))


def members_of_btf(t):
    return sorted(((m['name'] if m['name'] != '(anon)' else '', m['bits_offset'],
                    m.get('bitfield_size', 0)) for m in t['members']
                   if not m['name'].startswith('__base')), key=lambda m: (m[1], m[0]))


def compare(gdb, kind, t):
    """None: the same; else a sentence. KeyError: gdb has no such type."""
    try:
        g = gdb.lookup_type(('%s %s' % (kind, t['name'])).strip()).strip_typedefs()
    except gdb.error:
        raise KeyError(t['name'])
    if g.sizeof != t['size']:
        return 'size %d, gdb says %d' % (t['size'], g.sizeof)
    if 'values' in t:
        # bpftool sign-extends unsigned 32-bit values
        wide = t['kind'] == 'ENUM64' or t.get('encoding') == 'SIGNED'
        have = sorted((v['name'], v['val'] if wide else v['val'] & 0xffffffff)
                      for v in t['values'])
        want = sorted((f.name.split('::')[-1], f.enumval) for f in g.fields())
    else:
        have, want = members_of_btf(t), members_of_gdb(gdb, g)
    if have != want:
        diff = [x for x in have if x not in want][:2], [x for x in want if x not in have][:2]
        return 'BTF has %s, gdb has %s' % diff
    return None


def inside_gdb():
    import gdb
    types = btf_types(os.environ['LAYOUT_BTF'])
    kinds = {'STRUCT': 'struct', 'UNION': 'union', 'ENUM': 'enum', 'ENUM64': 'enum'}
    names = {}
    for t in types.values():
        if t['kind'] in kinds and t['name'] != '(anon)' and (t.get('members') or t.get('values')):
            names.setdefault((kinds[t['kind']], t['name']), []).append(t)
        if t['kind'] == 'TYPEDEF' and t['type_id']:
            to = types[t['type_id']]
            if to['kind'] in kinds and to['name'] == '(anon)':
                names.setdefault(('', t['name']), []).append(dict(to, name=t['name']))
    compared = bad = missing = 0
    for (kind, _), group in sorted(names.items()):
        try:
            # of several types of one name gdb shows one: it has to be among ours
            reasons = [compare(gdb, kind, t) for t in group]
        except KeyError:
            missing += 1
            continue
        compared += 1
        if None not in reasons:
            bad += 1
            print('%s %s: %s' % (kind, group[0]['name'], reasons[0]))
    print('%d types compared, %d mismatches, %d not found by gdb' % (compared, bad, missing))
    gdb.execute('quit %d' % (1 if bad or not compared else 0))


if 'LAYOUT_BTF' in os.environ:
    inside_gdb()
elif len(sys.argv) == 3:
    sys.exit(run_gdb(sys.argv))
else:
    sys.exit(__doc__)
