# SPDX-License-Identifier: MIT
"""weir types over what compilers make of one program.

usage: matrix.py WEIR SOURCE_DIR

Every compiler, DWARF version and packaging that is there: the types are held against the compiler
(asserts.py), the addresses against the running program, the BTF against the kernel's verifier;
and all ways of packaging the same DWARF have to give the same types.
"""
import ctypes
import itertools
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

from btf import Btf

WEIR, HERE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
failed = []
passed = 0


def run(*argv, **kw):
    return subprocess.run(argv, capture_output=True, text=True, **kw)


def must(*argv, **kw):
    r = run(*argv, **kw)
    if r.returncode:
        raise RuntimeError('%s: exit %d\n%s%s' % (' '.join(argv), r.returncode, r.stdout, r.stderr))
    return r.stdout


def kernel_says(path):
    """None: the kernel takes it; or the end of the verifier's log. Without the right, None too."""
    data = open(path, 'rb').read()
    buf, log = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(1 << 23)
    libc = ctypes.CDLL(None, use_errno=True)
    for level in (0, 1):
        attr = struct.pack('<QQIII', ctypes.addressof(buf), ctypes.addressof(log) if level else 0,
                           len(data), len(log) if level else 0, level)
        number = {'x86_64': 321, 'aarch64': 280}[os.uname().machine]
        fd = libc.syscall(number, 18, attr, len(attr))
        if fd >= 0:
            os.close(fd)
            return None
        if ctypes.get_errno() in (1, 38):
            return None
    return log.value.decode()[-300:]


def build(path, out, *more):
    must(WEIR, 'types', 'build', '--no-cache', *more, path, '-o', out)
    said = kernel_says(out)
    if said:
        raise RuntimeError('the kernel refuses it: ' + said)
    return Btf(out)


def same(want, have):
    """The same types, in whatever order the anonymous ones are."""
    want, have = Btf(want).words(), Btf(have).words()
    if want != have:
        raise RuntimeError('the BTF differs from that of the plain file:\n- %s\n+ %s' % (
            [w for w in want if w not in have or want.count(w) != have.count(w)][:3],
            [w for w in have if w not in want or want.count(w) != have.count(w)][:3]))


def check_layout(cc, flags, btf_path, tmp):
    with open(tmp + '/check.c', 'w') as f:
        f.write(must(sys.executable, HERE + '/asserts.py', btf_path, HERE + '/all.h'))
    must(cc, *flags, '-w', tmp + '/check.c', '-o', tmp + '/check', '-latomic')
    said = must(tmp + '/check')
    if int(said.split()[0]) < 13:
        raise RuntimeError('only %s compared' % said.strip())


def check_addresses(program):
    for line in must(program).splitlines():
        name, address = line.split()
        found = must(WEIR, 'types', 'find', '--no-cache', program, name)
        want = '0x%x ' % int(address, 16)
        if not any(want in l for l in found.splitlines() if not l.startswith('STRUCT')):
            raise RuntimeError('%s is at %s, but:\n%s' % (name, want, found))
    found = must(WEIR, 'types', 'find', '--no-cache', program, 'calls')
    for scope in ('many::calls', 'returns_large::calls'):
        if scope not in found:
            raise RuntimeError('no static variable %s:\n%s' % (scope, found))
    if not must(WEIR, 'types', 'find', '--no-cache', program, 'per_thread').startswith('tls '):
        raise RuntimeError('per_thread is not a TLS variable')


def check_forward(btf):
    for name, kinds in (('later_on', ['STRUCT']), ('t_forward', ['FWD'])):
        have = [t.kind for t in btf.types if t.name == name and t.kind in ('STRUCT', 'FWD')]
        if have != kinds:
            raise RuntimeError('%s is %s' % (name, have))


def compile_(cc, flags, tmp, link=()):
    objects = []
    for name in ('all', 'other'):
        must(cc, *flags, '-w', '-c', '%s/%s.c' % (HERE, name), '-o', name + '.o', cwd=tmp)
        objects.append(name + '.o')
    must(cc, *flags, *objects, *link, '-o', 'program', '-latomic', cwd=tmp)
    return tmp + '/program'


def plain(cc, version, optimise):
    def test(tmp):
        flags = ['-g', '-gdwarf-%d' % version, '-O%d' % optimise]
        program = compile_(cc, flags, tmp)
        btf = build(program, tmp + '/out.btf')
        check_layout(cc, flags[:2], tmp + '/out.btf', tmp)
        check_addresses(program)
        check_forward(btf)
    return test


def same_as_plain(cc, flags, link=(), change=None, what='program'):
    """However it is packaged, the BTF is that of the plain file."""
    def test(tmp):
        base = [f for f in flags if f.startswith('-gdwarf') or f.startswith('-O')]
        os.mkdir(tmp + '/a')
        os.mkdir(tmp + '/b')
        want = compile_(cc, ['-g'] + base, tmp + '/a')
        build(want, tmp + '/want.btf')
        have = compile_(cc, ['-g'] + list(flags), tmp + '/b', link)
        more = change(have) if change else ()
        build(os.path.dirname(have) + '/' + what, tmp + '/have.btf', *more)
        check_layout(cc, base, tmp + '/have.btf', tmp)
        same(tmp + '/want.btf', tmp + '/have.btf')
        if change is None or more == ():
            check_addresses(have)
    return test


def split_off(program):
    """The debug information goes to a file that is found by its build-id."""
    build_id = must('readelf', '-n', program).split('Build ID: ')[1].split()[0]
    where = os.path.dirname(program) + '/debug/.build-id/' + build_id[:2]
    os.makedirs(where)
    must('objcopy', '--only-keep-debug', program, '%s/%s.debug' % (where, build_id[2:]))
    must('strip', '-g', program)
    return '--debug-dir', os.path.dirname(program) + '/debug'


def link_off(program):
    """... or by .gnu_debuglink."""
    must('objcopy', '--only-keep-debug', program, program + '.debug')
    must('strip', '-g', program)
    must('objcopy', '--add-gnu-debuglink=' + program + '.debug', program)
    return ()


def package(program):
    must('dwp', '-e', program, '-o', program + '.dwp', cwd=os.path.dirname(program))
    for name in ('all.dwo', 'other.dwo'):
        os.unlink(os.path.dirname(program) + '/' + name)
    return ()


def dwz(program):
    must('dwz', program)
    return ()


def dwz_multi(program):
    shutil.copy(program, program + '2')
    must('dwz', '-m', program + '.dwz', '-M', program + '.dwz', program, program + '2')
    if '.gnu_debugaltlink' not in must('readelf', '-SW', program):
        raise RuntimeError('dwz made no alternate file')
    return ()


def relocatable(cc, version, *more):
    def test(tmp):
        compile_(cc, ['-g', '-gdwarf-%d' % version, '-O0', *more], tmp)
        build(tmp + '/all.o', tmp + '/out.btf')
        check_layout(cc, [], tmp + '/out.btf', tmp)
    return test


def lto(cc):
    def test(tmp):
        program = compile_(cc, ['-g', '-O2', '-flto'], tmp)
        btf = build(program, tmp + '/out.btf')
        check_layout(cc, [], tmp + '/out.btf', tmp)
        check_forward(btf)
    return test


def gbtf(tmp):
    """gcc's own BTF, units behind each other: split, merged, its structs right."""
    program = compile_('gcc', ['-g0', '-gbtf', '-O0'], tmp)
    build(program, tmp + '/out.btf', '--allow-loss')
    btf = Btf(tmp + '/out.btf')
    found = btf.named('STRUCT', 't_everything')
    if len(found) != 1 or found[0].size < 500:
        raise RuntimeError('t_everything: %s' % [t.size for t in found])
    check_forward(btf)


def gbtf_vector(tmp):
    """gcc 12 gives a vector no type in its BTF: its member is lost, and that is said."""
    open(tmp + '/v.c', 'w').write('typedef float v4 __attribute__((vector_size(16)));\n'
                                  'struct s { v4 x; int y; } s; int main(void) { return 0; }\n')
    must('gcc', '-gbtf', tmp + '/v.c', '-o', tmp + '/v')
    r = run(WEIR, 'types', 'build', '--no-cache', tmp + '/v', '-o', tmp + '/out.btf')
    if r.returncode != 1 or 'type is not in the file' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))
    btf = build(tmp + '/v', tmp + '/out.btf', '--allow-loss')
    members = [list(btf.members(t)) for t in btf.named('STRUCT', 's')]
    if [(m[0][0], m[0][2], len(m)) for m in members] != [('y', 128, 1)]:
        raise RuntimeError('members: %s' % members)
    r = run(WEIR, 'types', 'dump', '--no-cache', '--c', tmp + '/v')
    if r.returncode != 1 or 'type is not in the file' not in r.stderr:
        raise RuntimeError('dump: exit %d: %s' % (r.returncode, r.stderr))
    text = must(WEIR, 'types', 'dump', '--no-cache', '--allow-loss', '--c', tmp + '/v')
    open(tmp + '/dump.c', 'w').write(text)
    must('gcc', '-w', '-c', tmp + '/dump.c', '-o', tmp + '/dump.o')


def gbtf_signs(tmp):
    """gcc 12 does not say which enums are signed: their values do. What we write does say it."""
    program = compile_('gcc', ['-g0', '-gbtf', '-O0'], tmp)
    btf = build(program, tmp + '/out.btf', '--allow-loss')
    if [t.kflag for t in btf.named('ENUM', 't_signed')] != [1]:
        raise RuntimeError('t_signed is unsigned')
    open(tmp + '/u.c', 'w').write('enum u { U_TOP = 0x80000000u } u; int main(void) { return 0; }\n')
    must('gcc', '-g', tmp + '/u.c', '-o', tmp + '/u')
    must(WEIR, 'types', 'build', '--no-cache', '--embed', tmp + '/u')
    must('strip', '-g', tmp + '/u')
    btf = build(tmp + '/u', tmp + '/out.btf')
    if [t.kflag for t in btf.named('ENUM', 'u')] != [0]:
        raise RuntimeError('u is signed')


def dangling(tmp):
    """A member whose type is not there is left out: libbpf would divide by its alignment."""
    open(tmp + '/d.c', 'w').write('struct s { long x; int y; } s; int main(void) { return 0; }\n')
    must('gcc', '-g', '-dA', '-S', tmp + '/d.c', '-o', tmp + '/d.s')
    lines = open(tmp + '/d.s').read().splitlines()
    at = next(i for i, l in enumerate(lines) if 'DW_TAG_member' in l)
    at = next(i for i in range(at, len(lines)) if 'DW_AT_type' in lines[i])
    lines[at] = '\t.long\t0x7ffffff'
    open(tmp + '/d.s', 'w').write('\n'.join(lines) + '\n')
    must('gcc', tmp + '/d.s', '-o', tmp + '/d')
    r = run(WEIR, 'types', 'build', '--no-cache', tmp + '/d', '-o', tmp + '/out.btf')
    if r.returncode != 1 or 'lost' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))
    btf = build(tmp + '/d', tmp + '/out.btf', '--allow-loss')
    if [[m[0] for m in btf.members(t)] for t in btf.named('STRUCT', 's')] != [['y']]:
        raise RuntimeError('members: %s' % [list(btf.members(t)) for t in btf.named('STRUCT', 's')])
    text = must(WEIR, 'types', 'dump', '--no-cache', '--allow-loss', '--c', tmp + '/d')
    open(tmp + '/dump.c', 'w').write(text)
    must('gcc', '-w', '-c', tmp + '/dump.c', '-o', tmp + '/dump.o')


def circle(tmp):
    """Go's `type T *T`, which C cannot write: it becomes a pointer to void, and is told."""
    open(tmp + '/c.c', 'w').write('typedef int *T; T t; struct s { T t; } s;\n'
                                  'int main(void) { return 0; }\n')
    must('gcc', '-g', '-dA', '-S', tmp + '/c.c', '-o', tmp + '/c.s')
    text = open(tmp + '/c.s').read()
    typedef = re.search(r'\(DIE \((0x[0-9a-f]+)\) DW_TAG_typedef', text).group(1)
    before, pointer, behind = text.partition('DW_TAG_pointer_type')
    behind = re.sub(r'0x[0-9a-f]+(\s*# DW_AT_type)', typedef + r'\1', behind, count=1)
    open(tmp + '/c.s', 'w').write(before + pointer + behind)
    must('gcc', tmp + '/c.s', '-o', tmp + '/c')
    r = run(WEIR, 'types', 'build', '--no-cache', tmp + '/c', '-o', tmp + '/out.btf')
    if r.returncode != 1 or 'leads to itself' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))
    btf = build(tmp + '/c', tmp + '/out.btf', '--allow-loss')
    if [t.size for t in btf.named('STRUCT', 's')] != [8]:
        raise RuntimeError('struct s is not there')


def deep(tmp):
    """Bit-fields beyond what BTF can say are left out; members behind them are not."""
    open(tmp + '/d.c', 'w').write('struct big { char a[3000000]; int b : 3; long c; } v;\n'
                                  'int main(void) { return v.b; }\n')
    must('gcc', '-g', tmp + '/d.c', '-o', tmp + '/d')
    r = run(WEIR, 'types', 'build', '--no-cache', tmp + '/d', '-o', tmp + '/out.btf')
    if r.returncode != 1 or '1 x bit-field more than 2 MiB' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))
    btf = build(tmp + '/d', tmp + '/out.btf', '--allow-loss')
    if [[m[0] for m in btf.members(t)] for t in btf.named('STRUCT', 'big')] != [['a', 'c']]:
        raise RuntimeError('other members')


def kept(tmp):
    """A file that was there is still there after a full disk."""
    program = compile_('gcc', ['-g', '-O0'], tmp)
    os.mkdir(tmp + '/small')
    if run('mount', '-t', 'tmpfs', '-o', 'size=8k', 'none', tmp + '/small').returncode:
        return
    try:
        open(tmp + '/small/out.btf', 'w').write('old')
        r = run(WEIR, 'types', 'build', '--no-cache', program, '-o', tmp + '/small/out.btf')
        if not r.returncode or os.listdir(tmp + '/small') != ['out.btf'] or \
                open(tmp + '/small/out.btf').read() != 'old':
            raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))
    finally:
        must('umount', tmp + '/small')


def atomic_struct(tmp):
    """clang describes a padded _Atomic struct as a bit-field."""
    open(tmp + '/a.c', 'w').write('struct atom { char c; _Atomic long l; _Atomic struct { char x[3]; } a3; int tail; } a;\n'
                                  'int main(void) { return 0; }\n')
    must('clang', '-g', tmp + '/a.c', '-o', tmp + '/a')
    btf = build(tmp + '/a', tmp + '/out.btf')
    members = [list(btf.members(t)) for t in btf.named('STRUCT', 'atom')]
    if [[(m[0], m[2], m[3]) for m in s] for s in members] != [[('c', 0, 0), ('l', 64, 0), ('a3', 128, 0), ('tail', 160, 0)]]:
        raise RuntimeError('members: %s' % members)
    text = must(WEIR, 'types', 'dump', '--no-cache', '--c', tmp + '/a')
    open(tmp + '/dump.c', 'w').write(text + '_Static_assert(sizeof(struct atom) == 24, "");\n'
                                     '_Static_assert(__builtin_offsetof(struct atom, tail) == 20, "");\n')
    must('clang', '-w', '-c', tmp + '/dump.c', '-o', tmp + '/dump.o')


def embed(tmp):
    program = compile_('gcc', ['-g', '-O0'], tmp)
    build(program, tmp + '/want.btf')
    before = must(program)
    must(WEIR, 'types', 'build', '--no-cache', '--embed', program)
    must('strip', '-g', program)
    if must(program) != before:
        raise RuntimeError('the program no longer says the same')
    build(program, tmp + '/have.btf')
    same(tmp + '/want.btf', tmp + '/have.btf')
    os.symlink(program, program + '.link')
    must(WEIR, 'types', 'build', '--no-cache', '--embed', program + '.link')  # replaces it
    if must(program) != before or not os.path.islink(program + '.link'):
        raise RuntimeError('the program no longer says the same')
    size = os.path.getsize(program)
    must(WEIR, 'types', 'build', '--no-cache', '--embed', program)
    if must(program) != before or os.path.getsize(program) > size:
        raise RuntimeError('it grew from %d to %d bytes' % (size, os.path.getsize(program)))
    must('bpftool', 'btf', 'dump', 'file', program)


def embed_beside_dwarf(tmp):
    """.BTF beside DWARF hides nothing of it; a stripped file's is not its twin's with DWARF."""
    program = compile_('gcc', ['-g', '-O0'], tmp, ['-Wl,--build-id'])
    shutil.copy(program, program + '.twin')
    env = dict(os.environ, XDG_CACHE_HOME=tmp + '/cache')
    find = lambda path: must(WEIR, 'types', 'find', path, 'calls', env=env)
    must(WEIR, 'types', 'build', '--no-cache', '--embed', program)
    if 'many::calls' not in find(program):
        raise RuntimeError('no many::calls: ' + find(program))
    shutil.rmtree(tmp + '/cache')
    must('strip', '-g', program)
    must(WEIR, 'types', 'dump', program, 't_everything', env=env)
    if 'many::calls' not in find(program + '.twin'):
        raise RuntimeError('no many::calls in its twin: ' + find(program + '.twin'))
    shutil.rmtree(tmp + '/cache')
    must('objcopy', '--only-keep-debug', program + '.twin', program + '.debug')
    must('objcopy', '--add-gnu-debuglink=' + program + '.debug', program)
    if 'many::calls' not in find(program):
        raise RuntimeError('no many::calls in its debug file: ' + find(program))


def dwz_missing(tmp):
    """The half that dwz put elsewhere is named where it is missing."""
    program = compile_('gcc', ['-g', '-O0'], tmp)
    dwz_multi(program)
    os.unlink(program + '.dwz')
    r = run(WEIR, 'types', 'build', '--no-cache', program)
    if r.returncode != 1 or 'program.dwz' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))


def fifo(tmp):
    """Nobody writes into it: it is not waited for."""
    os.mkfifo(tmp + '/fifo')
    r = run(WEIR, 'types', 'build', '--no-cache', tmp + '/fifo', timeout=20)
    if r.returncode != 1 or 'not a regular file' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))


def fifo_elsewhere(tmp):
    """... nor one in the place of a debug file, of what dwz took out, or of a pack."""
    program = compile_('gcc', ['-g', '-O0', '-Wl,--build-id=0x1234567890abcdef'], tmp)
    link_off(program)
    os.unlink(program + '.debug')
    for path in ('/program.debug', '/debug/.build-id/12/34567890abcdef.debug', '/1234567890abcdef.btf'):
        os.makedirs(os.path.dirname(tmp + path), exist_ok=True)
        os.mkfifo(tmp + path)
    r = run(WEIR, 'types', 'build', '--no-cache', '--debug-dir', tmp + '/debug', program, timeout=20,
            env=dict(os.environ, WEIR_TYPES_PATH=tmp))
    if r.returncode != 1 or 'no type information' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))


def decimal(tmp):
    """A struct in place of a decimal float is called otherwise: _Decimal64 is a word of C."""
    open(tmp + '/d.c', 'w').write('struct s { _Decimal64 d; int i; } s; int main(void) { return 0; }\n')
    must('gcc', '-g', tmp + '/d.c', '-o', tmp + '/d')
    text = must(WEIR, 'types', 'dump', '--no-cache', '--allow-loss', '--c', tmp + '/d')
    open(tmp + '/dump.c', 'w').write(text + '_Static_assert(sizeof(struct s) == 16, "");\n')
    must('gcc', '-w', '-c', tmp + '/dump.c', '-o', tmp + '/dump.o')


def full_disk(tmp):
    """Half a file is of no use."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
    program = compile_('gcc', ['-g', '-O0'], tmp)
    r = run(WEIR, 'types', 'build', '--no-cache', program, '-o', tmp + '/out.btf', preexec_fn=limit)
    if r.returncode != 1 or os.path.exists(tmp + '/out.btf'):
        raise RuntimeError('exit %d, a file of %d bytes: %s' % (r.returncode, os.path.getsize(tmp + '/out.btf'), r.stderr))
    os.symlink('out.btf', tmp + '/link.btf')
    r = run(WEIR, 'types', 'build', '--no-cache', program, '-o', tmp + '/link.btf', preexec_fn=limit)
    if r.returncode != 1 or os.path.exists(tmp + '/out.btf'):
        raise RuntimeError('exit %d, by a symbolic link: %s' % (r.returncode, r.stderr))


def header(tmp):
    must(WEIR, 'types', 'build', '--header', HERE + '/all.h', '-o', tmp + '/out.btf')
    check_layout('gcc', [], tmp + '/out.btf', tmp)
    r = run(WEIR, 'types', 'build', '--header', HERE + '/all.c', '--cflag', '-DSHOW', '-o',
            tmp + '/x.btf', '--cc', 'no-such-compiler')
    if r.returncode != 1 or 'no-such-compiler' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))
    open(tmp + '/broken.h', 'w').write('struct x { no_such_type y; };\n')
    r = run(WEIR, 'types', 'build', '--header', tmp + '/broken.h', '-o', tmp + '/x.btf')
    if r.returncode != 1 or 'no_such_type' not in r.stderr:
        raise RuntimeError('exit %d: %s' % (r.returncode, r.stderr))


def dump_c(tmp):
    """The C that dump writes compiles, and has the same layout again."""
    program = compile_('gcc', ['-g', '-O0'], tmp)
    build(program, tmp + '/a.btf')
    text = must(WEIR, 'types', 'dump', '--c', program)
    open(tmp + '/dump.c', 'w').write('#include <stdbool.h>\n' + text)
    must('gcc', '-w', '-g', '-fno-eliminate-unused-debug-types', '-c', tmp + '/dump.c', '-o',
         tmp + '/dump.o')
    build(tmp + '/dump.o', tmp + '/b.btf')
    sizes = [{(t.kind, t.name): (t.size, list(b.members(t))[-1][2] if t.items else 0)
              for t in b.types if t.kind in ('STRUCT', 'UNION') and t.name}
             for b in (Btf(tmp + '/a.btf'), Btf(tmp + '/b.btf'))]
    differ = [k for k in sizes[0] if sizes[0][k] != sizes[1].get(k)]
    if differ:
        raise RuntimeError('different after a round trip: %s' % differ)


def tests():
    ccs = [c for c in ('gcc', 'clang') if shutil.which(c)]
    for cc, version, o in itertools.product(ccs, (2, 3, 4, 5), (0, 2)):
        yield '%s dwarf %d -O%d' % (cc, version, o), plain(cc, version, o)
    for cc, version in itertools.product(ccs, (4, 5)):
        v = '-gdwarf-%d' % version
        name = '%s dwarf %d ' % (cc, version)
        yield name + 'relocatable', relocatable(cc, version)
        yield name + 'compressed', same_as_plain(cc, [v, '-O0', '-gz'])
        yield name + 'build-id', same_as_plain(cc, [v, '-O0'], ['-Wl,--build-id'], split_off)
        yield name + 'debuglink', same_as_plain(cc, [v, '-O0'], ['-Wl,--build-id=none'], link_off)
        yield name + 'type units', same_as_plain(cc, [v, '-O0', '-fdebug-types-section'])
        yield name + 'split', same_as_plain(cc, [v, '-O0', '-gsplit-dwarf'])
        yield name + 'split, type units', \
            same_as_plain(cc, [v, '-O0', '-gsplit-dwarf', '-fdebug-types-section'])
        yield name + 'relocatable, type units', \
            relocatable(cc, version, '-fdebug-types-section')
        # Debian 12's dwp crashes on DWARF 5, and its llvm-dwp does not end
        if version == 4 and shutil.which('dwp'):
            yield name + 'dwp', same_as_plain(cc, [v, '-O0', '-gsplit-dwarf'], (), package)
        if shutil.which('dwz'):
            if (cc, version) == ('clang', 5):
                continue  # dwz does not know .debug_addr
            yield name + 'dwz', same_as_plain(cc, [v, '-O0'], (), dwz)
            yield name + 'dwz -m', same_as_plain(cc, [v, '-O0'], (), dwz_multi)
    yield 'gcc lto', lto('gcc')
    yield 'gcc -gbtf', gbtf
    yield 'gcc -gbtf, signs of enums', gbtf_signs
    yield 'gcc -gbtf, vectors', gbtf_vector
    yield 'a type that is not there', dangling
    yield 'a type that leads to itself', circle
    yield 'a bit-field beyond 2 MiB', deep
    yield 'a file that is replaced', kept
    if 'clang' in ccs:
        yield 'clang, _Atomic struct', atomic_struct
    yield 'embed', embed
    yield 'embed beside DWARF', embed_beside_dwarf
    if shutil.which('dwz'):
        yield 'dwz -m, its file missing', dwz_missing
    yield 'full disk', full_disk
    yield 'a FIFO', fifo
    yield 'a FIFO in the place of others', fifo_elsewhere
    if os.uname().machine == 'x86_64':
        yield 'decimal float', decimal
    yield 'header', header
    yield 'dump --c', dump_c


def main():
    only = sys.argv[3:]
    global passed
    for name, test in tests():
        if only and not any(o in name for o in only):
            continue
        with tempfile.TemporaryDirectory() as tmp:
            try:
                test(tmp)
                passed += 1
                print('ok   ' + name, flush=True)
            except Exception as e:  # every combination is tried
                failed.append(name)
                print('FAIL %s: %s' % (name, str(e)[:1000]), flush=True)
    print('%d passed, %d failed' % (passed, len(failed)))
    sys.exit(1 if failed or not passed else 0)


main()
