# SPDX-License-Identifier: MIT
"""Real debug files: every struct of every one, by layout_check.py.

usage: corpus.py WEIR LAYOUTS [--short] [FILE...]

Without FILE: the files of Debian's libc6-dbg, libdb5.3-dbg and libpython3.11-dbg that are installed,
and what the variables of `make bench` name (WEIR_BENCH_LIBRUBY, _POSTGRES, _LIBC, _LIBDB, _CEPH;
redis, postgresql-15 and ruby3.1 are built with -g from `apt-get source`). --short: FILEs and the
debug files of libc.so.6 and libdb-5.3.so alone. It takes minutes and, for ceph-osd, some GiB.
"""
import glob
import os
import subprocess
import sys

import layout_check

PACKAGES = ['libc6-dbg', 'libdb5.3-dbg', 'python3.11-dbg', 'libpython3.11-dbg']
LIBRARIES = ['/lib/*-linux-gnu/libc.so.6', '/usr/lib/*-linux-gnu/libdb-5.3.so']
VARIABLES = ['LIBRUBY', 'POSTGRES', 'LIBC', 'LIBDB', 'CEPH']


def of_libraries():
    for path in (p for pattern in LIBRARIES for p in glob.glob(pattern)):
        notes = subprocess.run(['readelf', '-n', path], capture_output=True, text=True).stdout
        ids = [line.split()[-1] for line in notes.splitlines() if 'Build ID:' in line]
        debug = '/usr/lib/debug/.build-id/%s/%s.debug' % (ids[0][:2], ids[0][2:]) if ids else ''
        if os.path.exists(debug):
            yield debug
        else:
            print('skip %s: it has no debug file' % path)


def of_packages():
    for package in PACKAGES:
        files = subprocess.run(['dpkg', '-L', package], capture_output=True, text=True).stdout
        found = [f for f in files.splitlines() if f.startswith('/usr/lib/debug/') and f.endswith('.debug') and
                 os.path.isfile(f)]
        if not found:
            print('skip %s: it is not installed' % package)
        yield from found
    yield from filter(None, (os.environ.get('WEIR_BENCH_' + v) for v in VARIABLES))


def main():
    args = [x for x in sys.argv[1:] if x != '--short']
    short, named = len(args) + 1 < len(sys.argv), args[2:]
    files = named + list(of_libraries()) if short else named or list(of_packages())
    files = list({os.path.realpath(f): None for f in files})
    if not files:
        return 77
    return layout_check.check_files(args[0], args[1], files)


sys.exit(main())
