# SPDX-License-Identifier: MIT
"""`weir types dump --c` of what C, C++ and Rust compilers lay out otherwise than members in a row.

usage: c_output.py WEIR LAYOUTS

Programs are compiled by all compilers that are there and held against layout_check.py; of BTF that no
compiler makes, the C has to compile and what it lacks has to be said.
"""
import os
import shutil
import struct
import sys
import tempfile

import layout_check
from command import must, run

WEIR, LAYOUTS = sys.argv[1:3]
HERE = os.path.dirname(os.path.abspath(__file__))
RUST = r'''
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
enum Shape { Circle(f64), Rect { w: u32, h: u32 }, Unit }
pub struct Point { x: u16, y: u64, r#type: u8, restrict: bool, int: i128, c: char }
#[repr(u8)] enum Small { A = 200, B }
#[repr(C, packed)] struct Packed { a: u8, b: u64, c: u16 }
#[repr(align(64))] struct Aligned { a: u8 }
union Either { a: u64, b: [u8; 3] }
trait Speak { fn speak(&self) -> u32; }
impl Speak for Point { fn speak(&self) -> u32 { self.y as u32 } }
fn point() -> Point { Point { x: 1, y: 2, r#type: 3, restrict: true, int: 5, c: 'x' } }
fn main() {
    for s in [Shape::Circle(1.0), Shape::Rect { w: 1, h: 2 }, Shape::Unit] {
        match s { Shape::Circle(f) => println!("{}", f), Shape::Rect { w, h } => println!("{}", w + h), Shape::Unit => () }
    }
    let b: Box<dyn Speak> = Box::new(point());
    let m: HashMap<String, Vec<Option<Box<u32>>>> = HashMap::new();
    let t: BTreeMap<u32, Result<String, std::io::Error>> = BTreeMap::new();
    let a = Arc::new(Mutex::new((1u8, 2u64, 'c')));
    let (k, l, e, s) = (Packed { a: 1, b: 2, c: 3 }, Aligned { a: 1 }, Either { a: 1 }, [Small::A, Small::B]);
    println!("{} {} {} {} {}", b.speak(), m.len(), t.len(), a.lock().unwrap().1, { k.b } + k.a as u64 + k.c as u64);
    println!("{} {}", l.a, s.len());
    unsafe { println!("{} {}", e.a, e.b[0]); }
}
'''


# --- real programs

def programs(folder):
    for compiler in ('gcc', 'clang', 'g++', 'clang++', 'rustc'):
        program = os.path.join(folder, compiler)
        if not shutil.which(compiler):
            print('skip %s: it is not installed' % compiler)
            continue
        if compiler == 'rustc':
            with open(program + '.rs', 'w') as f:
                f.write(RUST)
            r = run('rustc', '-A', 'warnings', '-g', '-o', program, program + '.rs')
            if r.returncode:
                print('skip rustc: it does not work here')
                continue
        elif '++' in compiler:
            must(compiler, '-std=c++20', '-g', '-w', HERE + '/layers.cc', '-o', program)
            yield program
            program += '-virtual'
            must(compiler, '-std=c++20', '-g', '-w', '-DVIRTUAL', HERE + '/layers.cc', '-o', program)
        else:
            must(compiler, '-std=c11', '-g', '-w', HERE + '/packed.c', '-o', program)
        yield program


# --- BTF that no compiler makes

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF = range(1, 9)
PROTO = 13


class Builder:
    def __init__(self):
        self.types, self.strings, self.count = b'', b'\0', 0
        self.add('int', INT, 4, 1 << 24 | 32)

    def name(self, text):
        self.strings += text.encode() + b'\0'
        return len(self.strings) - len(text.encode()) - 1 if text else 0

    def add(self, name, kind, size, *words, vlen=0, kflag=0):
        self.types += struct.pack('<III', self.name(name), kflag << 31 | kind << 24 | vlen, size)
        self.types += struct.pack('<%dI' % len(words), *words)
        self.count += 1
        return self.count

    def record(self, name, kind, size, *members, kflag=0):
        words = [w for n, ident, offset in members for w in (self.name(n), ident, offset)]
        return self.add(name, kind, size, *words, vlen=len(members), kflag=kflag)

    def dump(self, folder):
        raw, program = os.path.join(folder, 'raw'), os.path.join(folder, 'program')
        with open(raw, 'wb') as f:
            f.write(struct.pack('<HBBIIIII', 0xeb9f, 1, 0, 24, 0, len(self.types), len(self.types),
                                len(self.strings)) + self.types + self.strings)
        must('objcopy', '--remove-section=.BTF', '--add-section=.BTF=' + raw,
             os.path.join(folder, 'empty'), program)
        return run(WEIR, 'types', 'dump', '--no-cache', '--c', program)


def typedef_circle(b):
    """typedef struct { T *self; } T;"""
    b.add('T', TYPEDEF, 3)
    b.record('', STRUCT, 16, ('self', 4, 0), ('x', 1, 64))
    b.add('', PTR, 2)
    return 'defined before themselves', 1


def struct_circle(b):
    """struct S { struct { struct S x; } *p; }"""
    b.record('S', STRUCT, 8, ('p', 3, 0))
    b.add('', PTR, 4)
    b.record('', STRUCT, 8, ('x', 2, 0))
    return 'defined before themselves', 1


def array_circle(b):
    """typedef struct A arr[2]; struct A { arr *p; }; struct U { arr a; }"""
    b.add('arr', TYPEDEF, 3)
    b.add('', ARRAY, 0, 4, 1, 2)
    b.record('A', STRUCT, 8, ('p', 5, 0))
    b.add('', PTR, 2)
    b.record('U', STRUCT, 16, ('a', 2, 0))
    return 'defined before themselves', 1


def strange_functions(b):
    """Functions that return arrays; arrays of functions and of nothing."""
    b.add('', PROTO, 3, 0, 3, 0, 0, vlen=2)
    b.add('', ARRAY, 0, 1, 1, 9)
    for of in (0, 2):
        b.add('', ARRAY, 0, of, 1, 3)
    pointers = [b.add('', PTR, of) for of in (2, 4, 5)]
    b.record('F', STRUCT, 24, *(('m%d' % i, p, i * 64) for i, p in enumerate(pointers)))
    return 'defined before themselves', 1


def strange_members(b):
    """Beyond the end, of a name twice, wider than their type, between bytes."""
    b.record('W', STRUCT, 8, ('a', 1, 0), ('a', 1, 32), ('c', 1, 64), kflag=0)
    b.record('V', STRUCT, 8, ('a', 1, 40 << 24), ('b', 1, 3), ('ok', 1, 5 << 24 | 35), kflag=1)
    return 'beyond the end', 1


def strange_names(b):
    b.record('no name;"\n', STRUCT, 4, ('x y', 1, 0))
    b.record('int', STRUCT, 4, ('for', 1, 0))
    b.add('int', TYPEDEF, 1)
    b.add('E', ENUM, 4, b.name('int'), 1, b.name('E'), 2, vlen=2)
    return '', 0


def deep(b):
    for i in range(900):
        b.record('', UNION if i % 2 else STRUCT, 4, ('m%d' % i, i + 1, 0))
    b.record('D', STRUCT, 4, ('d', b.count, 0))
    return '', 0


def doubling(b):
    for i in range(60):
        b.record('', STRUCT, 0, ('a', b.count, 0), ('b', b.count, 0))
    b.record('X', STRUCT, 0, ('x', b.count, 0))
    return 'contain each other too often', 1


def overlapping(b):
    b.record('O', STRUCT, 4, *(('m%d' % i, 1, 0) for i in range(60000)))
    return 'at places', 1


def made_up(folder):
    empty = os.path.join(folder, 'empty')
    with open(empty + '.c', 'w') as f:
        f.write('int main(void) { return 0; }\n')
    must('gcc', '-g0', empty + '.c', '-o', empty)
    for case in (typedef_circle, struct_circle, array_circle, strange_functions, strange_members,
                 strange_names, deep, doubling, overlapping):
        b = Builder()
        said, status = case(b)
        r = b.dump(folder)
        assert r.returncode == status and said in r.stderr, '%s: %s' % (case.__name__, r)
        if case is doubling:
            continue
        with open(empty + '.c', 'w') as f:
            f.write(r.stdout)
        for compiler in layout_check.compilers():
            r = run(*compiler, '-c', empty + '.c', '-o', empty + '.o')
            assert not r.returncode, '%s: %s' % (case.__name__, r.stderr)
        print('ok   %s' % case.__name__)


# --- one type

def one_type(program):
    text = must(WEIR, 'types', 'dump', '--no-cache', '--c', program, 'struct has_u3')
    assert text.split('struct has_u3')[0].strip().startswith('union u3 {'), text
    assert 'packed_aligned' not in text, text


def main():
    with tempfile.TemporaryDirectory() as folder:
        made_up(folder)
        files = list(programs(folder))
        one_type(files[0])
        return layout_check.check_files(WEIR, LAYOUTS, files)


sys.exit(main())
