# SPDX-License-Identifier: MIT
# Threads that go from one fiber to another all the time; no stack is deeper than 320.
def deep(k) = k <= 0 ? Fiber.yield(1) : deep(k - 1)

def fibers
  loop do
    fiber = Fiber.new { deep(300) }
    fiber.resume
    fiber.resume
  end
end

def enumerators
  loop do
    numbers = Enumerator.new { |y| 5.times { |i| y << i.to_s } }
    numbers.next
    numbers.next
    [1, 2, 3].each_slice(2).map(&:sum)
  end
end

4.times { Thread.new { fibers } and Thread.new { enumerators } }
puts "ready #{$$}"
$stdout.flush
sleep
