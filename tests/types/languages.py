# SPDX-License-Identifier: MIT
"""C++ and Rust: what is right, and what is said to be lost. usage: languages.py WEIR"""
import os
import shutil
import sys
import tempfile

from btf import Btf
from command import must, run

WEIR = os.path.abspath(sys.argv[1])
CPP = r'''
namespace ns {
struct base { int b; virtual ~base() {} };
struct other { long o; };
class derived : public base, private other {
public:
	int d;
	static int count;
	int &ref;
	derived(int &r) : ref(r) {}
	void method(int x) const;
	struct inner { int z; } in;
};
int derived::count = 3;
void derived::method(int x) const { static int hits; hits += x + d; }
template <class T, int N> struct arr { T data[N]; };
enum class color : unsigned char { red, green = 200 };
}
namespace { struct base { char c; } mine; }
// g++ puts the type of `this` of a local class's members into their declarations
inline int guarded(int x) { struct guard { int *p; guard(int *q) : p(q) {} ~guard() { *p = 0; } } g(&x); return *g.p; }
ns::arr<int, 4> four;
ns::color col;
#ifdef VIRTUAL
struct virt : virtual ns::base { int v; } gv;
#endif
int main(int argc, char **) { ns::derived d(argc); d.method(guarded(1)); return four.data[0] + mine.c + (int)col; }
'''
RUST = r'''
enum Shape { Circle(f64), Rect { w: u32, h: u32 }, Unit }
pub struct Point { x: u16, y: u64 }
static mut G: Option<Point> = None;
fn main() {
    let v = vec![Shape::Circle(1.0), Shape::Rect { w: 1, h: 2 }, Shape::Unit];
    for s in &v { match s { Shape::Circle(f) => println!("{}", f), Shape::Rect { w, h } => println!("{}", w + h), Shape::Unit => () } }
    unsafe { G = Some(Point { x: 1, y: 2 }); }
}
'''


def one(btf, kind, name):
    found = btf.named(kind, name)
    assert len(found) == 1, '%s %s: %d' % (kind, name, len(found))
    return found[0]


def cpp(tmp, cc):
    open(tmp + '/a.cc', 'w').write(CPP)
    must(cc, '-g', '-w', tmp + '/a.cc', '-o', tmp + '/a')
    must(WEIR, 'types', 'build', '--no-cache', tmp + '/a', '-o', tmp + '/a.btf')
    btf = Btf(tmp + '/a.btf')
    derived = one(btf, 'STRUCT', 'ns__derived')
    members = {n: (i, o) for n, i, o, _ in btf.members(derived)}
    assert members['__base_ns__base'][1] == 0 and '__base_ns__other' in members, members
    assert 'count' not in members
    ref = btf.types[members['ref'][0]]
    assert ref.kind == 'PTR' and btf.types[ref.type].name == '&', 'a reference is a pointer to &'
    assert one(btf, 'STRUCT', 'ns__base').size == 16
    assert one(btf, 'STRUCT', '_Oanonymous_namespace_E__base').size == 1
    assert one(btf, 'STRUCT', 'ns__arr_Lint_C4_R').size == 16
    assert dict(one(btf, 'ENUM', 'ns__color').items) == {'red': 0, 'green': 200}
    for name in ('struct ns::derived', 'ns::arr<int, 4>', 'ns::arr<int,4>', 'ns::derived::inner'):
        assert 'STRUCT' in must(WEIR, 'types', 'dump', '--no-cache', tmp + '/a', name)
    found = must(WEIR, 'types', 'find', '--no-cache', tmp + '/a', 'ns::derived::method::hits')
    assert found.startswith('variable'), found
    assert 'function' in must(WEIR, 'types', 'find', '--no-cache', tmp + '/a', 'derived::method')
    must(cc, '-g', '-w', '-DVIRTUAL', tmp + '/a.cc', '-o', tmp + '/b')
    r = run(WEIR, 'types', 'build', '--no-cache', tmp + '/b', '-o', tmp + '/b.btf')
    assert r.returncode == 1 and 'virtual base' in r.stderr, r.stderr
    assert not os.path.exists(tmp + '/b.btf')
    must(WEIR, 'types', 'build', '--no-cache', '--allow-loss', tmp + '/b', '-o', tmp + '/b.btf')
    btf = Btf(tmp + '/b.btf')
    (base,) = [m for m in btf.members(one(btf, 'STRUCT', 'virt')) if m[0].startswith('__virtual_')]
    assert base[0] == '__virtual_24_ns__base' and base[2] == 0, base
    assert btf.types[base[1]].items[2] == 0 and btf.types[btf.types[base[1]].items[0]].name == 'ns__base'


def declared(tmp):
    """clang++ only declares what another unit defines: no C, but the rest of the struct is."""
    open(tmp + '/a.cc', 'w').write('template <class T> struct box { T x; box(); };\n'
                                   'extern template struct box<int>;\n'
                                   'struct holder { int a; box<int> in; int b; };\n'
                                   'struct fine { holder *h; };\n'
                                   'int f(fine *p) { return p->h->a + p->h->b; }\n')
    must('clang++', '-g', '-c', tmp + '/a.cc', '-o', tmp + '/a.o')
    r = run(WEIR, 'types', 'dump', '--no-cache', '--c', tmp + '/a.o')
    assert r.returncode == 1 and '1 members of types that are only declared' in r.stderr, r
    assert 'e.g. holder.in;' in r.stderr, r.stderr
    assert 'int b;' in must(WEIR, 'types', 'dump', '--no-cache', '--c', '--allow-loss', tmp + '/a.o')
    r = run(WEIR, 'types', 'dump', '--no-cache', '--c', tmp + '/a.o', 'fine')
    assert not r.returncode and 'left out' not in r.stderr, 'not of what it points to: %s' % r


def rust(tmp):
    open(tmp + '/r.rs', 'w').write(RUST)
    r = run('rustc', '-g', '-o', tmp + '/r', tmp + '/r.rs')
    if r.returncode:
        return 'skipped: rustc does not work here'
    must(WEIR, 'types', 'build', '--no-cache', '--allow-loss', tmp + '/r', '-o', tmp + '/r.btf')
    btf = Btf(tmp + '/r.btf')
    shape = one(btf, 'UNION', 'r__Shape')
    members = {n: i for n, i, _, _ in btf.members(shape)}
    assert {'Circle', 'Rect', 'Unit'} <= set(members), members
    assert [m[0] for m in btf.members(btf.real(members['Rect']))] == ['w', 'h']
    for n, i, o, _ in btf.members(btf.real(members['Rect'])):
        assert o % 32 == 0 and o + 32 <= shape.size * 8
    holder = btf.real(members[''])
    (_, discriminant, _, _), = btf.members(holder)
    assert dict(btf.real(discriminant).items) == {'Circle': 0, 'Rect': 1, 'Unit': 2}
    assert [m[0] for m in btf.members(one(btf, 'STRUCT', 'r__Point'))] in (['x', 'y'], ['y', 'x'])


for name, tool, test in (('g++', 'g++', lambda t: cpp(t, 'g++')),
                         ('clang++', 'clang++', lambda t: cpp(t, 'clang++')),
                         ('clang++, declarations', 'clang++', declared),
                         ('rust', 'rustc', rust)):
    if not shutil.which(tool):
        print('%s: skipped: there is no %s' % (name, tool))
        continue
    with tempfile.TemporaryDirectory() as tmp:
        print('%s: %s' % (name, test(tmp) or 'ok'))
