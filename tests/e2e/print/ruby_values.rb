# SPDX-License-Identifier: MIT
# Objects in every form that the interpreter has for them, by the name of what is looked at.
require "objspace"

module Outer
  class Inner; end

  module Deep; end
end

long = "L" * 500
deleted = { a: 1, b: 2, c: 3 }
deleted.delete(:b)
many = (0..20).to_h { |i| [i, i] }
10.times { |i| many.delete(i) }
heap = (0..20).to_a
later = Class.new
Late = later
cycle = [1]
cycle << cycle
singleton = Outer::Inner.new
def singleton.extra; end

VALUES = [
  ["embedded string", "short"], ["heap string", long], ["shared string", long[400..]],
  ["part of a string", ("abcdefghijklmnopqrstuvwxyz" * 4)[3, 34]], ["NUL", "a\0b"], ["UTF-8", "gr\u00fc\u00dfe"],
  ["embedded array", [1, 2, nil]], ["heap array", heap], ["shared array", heap[5..]],
  ["small hash", { a: 1, "b" => 2.5, 3 => [4] }], ["large hash", (0..20).to_h { |i| ["key#{i}", i] }],
  ["small hash, one deleted", deleted], ["large hash, some deleted", many], ["static symbol", :puts],
  ["new symbol", :brand_new], ["dynamic symbol", "dynamic#{6 * 7}".to_sym], ["numbers", [-17, 3.25, 1e300]],
  ["words", [nil, true, false]], ["nested class", Outer::Inner], ["nested module", Outer::Deep], ["named later", later],
  ["anonymous class", Class.new], ["object", Outer::Inner.new], ["singleton", singleton], ["cycle", cycle],
  ["texts as keys", { "\xff\0x" => 1, "a\"b" => 2, "l" * 250 => 3 }], ["objects as keys", { Outer::Inner => 1, -1.5e300 => 2 }],
  ["odd keys", { nil => 0, true => 1, 1.5 => 2, 2.0 => 3 }], ["equal keys", { 1 => "a", "1" => "b" }],
  ["quoted symbol", :"dyn sym"], ["floats as keys", { 1e14 => 0, 1e15 => 1, 1e-4 => 2, 1e-5 => 3, 12345678901234567.0 => 4 }],
  ["no numbers", [1 / 0.0, -1 / 0.0]], ["symbol of no characters", "\xff\xfe".b.to_sym]
].freeze
