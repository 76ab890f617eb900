#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page and its style and scripts as three C strings, between which the title and the data go.

    embed.py page.html page.css SCRIPT.js... OUTPUT.c

The page's Content-Security-Policy names its one style and its one script by their hashes and allows
nothing else: whatever the data is, nothing of it runs, and nothing is fetched.
"""
import base64
import hashlib
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def c_string(name, text):
    lines = []
    for line in text.splitlines(keepends=True):
        # Bytes, so that neither trigraphs nor the compiler's idea of a character set matter.
        body = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in line.encode())
        lines.append(f'\t"{body}"')
    return f"const char {name}[] =\n" + "\n".join(lines) + ";\n"


def main():
    html, css, *scripts = map(read, sys.argv[1:-1])
    js = '"use strict";\n(() => {\n' + "\n".join(scripts) + "})();\n"
    assert "</style" not in css and "</script" not in js and "<!--" not in js
    html = html.replace("@CSS_HASH@", digest(css)).replace("@JS_HASH@", digest(js))
    head, rest = html.split("@TITLE@")
    middle, tail = rest.split("@DATA@")
    middle = middle.replace("@CSS@", css)
    tail = tail.replace("@JS@", js)
    with open(sys.argv[-1], "w", encoding="ascii") as file:
        file.write("/* SPDX-License-Identifier: MIT */\n#include \"cli/report/template.h\"\n\n")
        file.write("\n".join(c_string(name, text) for name, text in
                             (("page_head", head), ("page_middle", middle), ("page_tail", tail))))


main()
