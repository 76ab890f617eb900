# SPDX-License-Identifier: MIT
"""Real debug files: every struct that gdb can name, against gdb. By hand, since gdb takes minutes.

usage: corpus.py WEIR [FILE...]   (without FILE: the debug files of Debian packages that are installed:
                                  libc6-dbg, libdb5.3-dbg, python3.11-dbg)
"""
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARIES = ['/lib/*-linux-gnu/libc.so.6', '/usr/lib/*-linux-gnu/libdb-5.3.so', '/usr/bin/python3.11d']


def installed():
    for pattern in LIBRARIES:
        for path in glob.glob(pattern):
            notes = subprocess.run(['readelf', '-n', path], capture_output=True, text=True).stdout
            ids = [line.split()[-1] for line in notes.splitlines() if 'Build ID:' in line]
            debug = ids and '/usr/lib/debug/.build-id/%s/%s.debug' % (ids[0][:2], ids[0][2:])
            if debug and os.path.exists(debug):
                yield debug
            else:
                print('skip %s: no debug file' % path)


def main():
    weir, files = os.path.abspath(sys.argv[1]), sys.argv[2:] or list(installed())
    failed = 0
    for path in files:
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, 'out.btf')
            r = subprocess.run([weir, 'types', 'build', '--no-cache', '--allow-loss', '-o', out, path],
                               capture_output=True, text=True)
            if not r.returncode:
                r = subprocess.run([sys.executable, os.path.join(HERE, 'layout_gdb.py'), path, out],
                                   capture_output=True, text=True)
            failed += r.returncode != 0
            last = (r.stdout.strip() or r.stderr.strip()).splitlines()[-1:]
            print('%s %s: %s' % ('FAIL' if r.returncode else 'ok  ', path, ' '.join(last)), flush=True)
    if not files:
        return 77
    return 1 if failed else 0


sys.exit(main())
