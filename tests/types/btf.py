# SPDX-License-Identifier: MIT
"""A reader of raw BTF, written from the kernel's documentation, for tests only."""
import struct

KINDS = ['VOID', 'INT', 'PTR', 'ARRAY', 'STRUCT', 'UNION', 'ENUM', 'FWD', 'TYPEDEF', 'VOLATILE',
         'CONST', 'RESTRICT', 'FUNC', 'FUNC_PROTO', 'VAR', 'DATASEC', 'FLOAT', 'DECL_TAG',
         'TYPE_TAG', 'ENUM64']
NAMES_OF_ONE_TYPE = ('TYPEDEF', 'CONST', 'VOLATILE', 'RESTRICT', 'TYPE_TAG')


class Type:
    def __init__(self, ident, kind, name, kflag, size):
        self.id, self.kind, self.name, self.kflag = ident, kind, name, kflag
        self.size = self.type = size
        self.items = []


class Btf:
    def __init__(self, path):
        data = open(path, 'rb').read()
        magic, version, _, header, type_off, type_len, str_off, str_len = struct.unpack_from(
            '<HBBIIIII', data)
        assert magic == 0xeb9f and version == 1 and header == 24
        self.strings = data[header + str_off:header + str_off + str_len]
        self.types = [Type(0, 'VOID', '', 0, 0)]
        at, end = header + type_off, header + type_off + type_len
        while at < end:
            at = self._read(data, at)
        assert at == end

    def string(self, offset):
        return self.strings[offset:self.strings.index(b'\0', offset)].decode()

    def _read(self, data, at):
        name, info, size = struct.unpack_from('<III', data, at)
        kind, vlen = KINDS[info >> 24 & 0x1f], info & 0xffff
        t = Type(len(self.types), kind, self.string(name), info >> 31, size)
        self.types.append(t)
        at += 12
        form = {'INT': 'I', 'ARRAY': 'III', 'VAR': 'I', 'DECL_TAG': 'i'}.get(kind)
        if form:
            t.items = struct.unpack_from('<' + form, data, at)
            return at + 4 * len(form)
        form = {'STRUCT': 'III', 'UNION': 'III', 'ENUM': 'Ii' if t.kflag else 'II',
                'ENUM64': 'III', 'FUNC_PROTO': 'II', 'DATASEC': 'III'}.get(kind)
        for _ in range(vlen if form else 0):
            item = struct.unpack_from('<' + form, data, at)
            if kind == 'ENUM64':
                value = item[1] | item[2] << 32
                item = (item[0], value - (1 << 64) if t.kflag and value >> 63 else value)
            t.items.append((self.string(item[0]),) + item[1:] if kind != 'DATASEC' else item)
            at += 4 * len(form)
        return at

    def members(self, t):
        """(name, type id, bit offset, size if a bit-field else 0)"""
        for name, ident, offset in t.items:
            yield (name, ident, offset & 0xffffff, offset >> 24) if t.kflag else (
                name, ident, offset, 0)

    def real(self, ident):
        while self.types[ident].kind in NAMES_OF_ONE_TYPE:
            ident = self.types[ident].type
        return self.types[ident]

    def named(self, kind, name):
        return [t for t in self.types if t.kind == kind and t.name == name]

    def is_sorted(self):
        names = [t.name.encode() for t in self.types[1:]]
        return names == sorted(names)

    def spell(self, ident, depth=0):
        """A type in words that do not depend on ids: named types by name, others by content."""
        t = self.types[ident]
        if not ident:
            return 'void'
        if t.kind == 'ARRAY':
            return '%s[%d]' % (self.spell(t.items[0], depth + 1), t.items[2])
        if t.kind == 'FUNC_PROTO':
            return '%s(%s)' % (self.spell(t.type, depth + 1),
                               ', '.join(n + ':' + self.spell(i, depth + 1) for n, i in t.items))
        if t.name and depth and t.kind not in ('TYPE_TAG', 'CONST'):
            return '%s %s' % (t.kind, t.name)
        if t.kind in ('STRUCT', 'UNION'):
            return '%s %s %d {%s}' % (t.kind, t.name, t.size, '; '.join(
                '%s:%s@%d/%d' % (n, self.spell(i, depth + 1), o, b)
                for n, i, o, b in self.members(t)))
        if t.kind in ('ENUM', 'ENUM64'):
            return '%s %s %d %s' % (t.kind, t.name, t.size, t.items)
        if t.kind in ('INT', 'FLOAT', 'FWD'):
            return '%s %s %d %s' % (t.kind, t.name, t.size, t.items)
        return '%s %s (%s)' % (t.kind, t.name, self.spell(t.type, depth + 1))

    def words(self):
        return sorted(self.spell(t.id) for t in self.types[1:])
