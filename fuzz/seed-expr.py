#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds of the fuzz target expr: one expression a file. usage: seed-expr.py FOLDER"""
import pathlib
import sys

SEEDS = r"""
1 + 2 * 3
-v_int / (v_uint + 0x10u) % 7
v_pointer->next->next->name
*v_pointer
v_nodes
&v_nodes[1].bits
v_nodes[0].bits.c << 3 | 1
v_array[1..5]
v_array[-1..1000]
container_of(&v_nodes[2].bytes[1], struct world_node, bytes[1])->value
offsetof(struct world_node, name)
sizeof(struct world_node *[4]) + sizeof v_nodes
(unsigned char)v_long == 'x' ? v_float : v_double
b.c::twice && !lost || untyped
(number_t)v_double
*(struct world_node *)8
((struct world_node *)0xffffffffffffffff)->next
'a.c'::v_int
v_nodes[9223372036854775807]
(((((((((((1)))))))))))
'\xff' + '\'' + '\377'
1e309 / 0 + .5f
loop
struct twin
(struct twin *)0
1 << 64 >> -1
"""


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(SEEDS.strip().splitlines()):
        (folder / f"expr-{i:02}").write_text(seed)
    (folder / "deep").write_text("(" * 5000)
    (folder / "long").write_text("1" + "+1" * 5000)
    (folder / "bytes").write_bytes(bytes(range(1, 256)))


if __name__ == "__main__":
    main()
