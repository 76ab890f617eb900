#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program with as many probes as asked for, of any kind, through libweir.so and ctypes.

    lister.py LIBWEIR [--probes N] [--no-usdt] [--semaphore] [--memfd] [--withdrawn]

Provider `many`, probes p0, p1, ... (id u64, path string); --withdrawn: a second provider, `gone`,
that was published and withdrawn. Prints "ready PID", then waits for its input to end.
"""
import argparse
import ctypes
import os
import sys

U64, STRING = 8, 12
NO_USDT, MEMFD = 8, 16
SEMAPHORE, DEFER = 1, 2


class Field(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("type", ctypes.c_int), ("flags", ctypes.c_uint32)]


class ProviderOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("flags", ctypes.c_uint32),
                ("reserved", ctypes.c_uint32), ("error", ctypes.c_void_p),
                ("stub_dir", ctypes.c_char_p), ("pool_size", ctypes.c_uint64)]


class ProbeOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("flags", ctypes.c_uint32),
                ("string_limit", ctypes.c_uint32), ("error", ctypes.c_void_p),
                ("loglevel", ctypes.c_int32), ("reserved", ctypes.c_uint32)]


def publish(lib, name, probes, provider_flags, probe_flags):
    provider, probe = ctypes.c_void_p(), ctypes.c_void_p()
    fields = (Field * 2)((b"id", U64, 0), (b"path", STRING, 0))
    options = ProviderOptions(ctypes.sizeof(ProviderOptions), provider_flags)
    probe_options = ProbeOptions(ctypes.sizeof(ProbeOptions), probe_flags)
    assert not lib.weir_provider_create(name, ctypes.byref(options), ctypes.byref(provider))
    for i in range(probes):
        code = lib.weir_probe_create(provider, b"p%d" % i, fields, ctypes.c_size_t(2),
                                     ctypes.byref(probe_options), ctypes.byref(probe))
        assert not code, code
    assert not lib.weir_provider_publish(provider)
    return provider


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("libweir")
    parser.add_argument("--probes", type=int, default=3)
    for name in ("no-usdt", "semaphore", "memfd", "withdrawn"):
        parser.add_argument("--" + name, action="store_true")
    o = parser.parse_args()
    lib = ctypes.CDLL(o.libweir)
    flags = NO_USDT * o.no_usdt | MEMFD * o.memfd
    publish(lib, b"many", o.probes, flags, DEFER | SEMAPHORE * o.semaphore)
    if o.withdrawn:
        assert not lib.weir_provider_withdraw(publish(lib, b"gone", 2, flags, DEFER))
    print("ready", os.getpid(), flush=True)
    sys.stdin.read()


main()
