# SPDX-License-Identifier: MIT
# What `weir print ruby:frames` shows: names, lines and threads that the test knows.
class Shop
  def order(n)
    [n].each_with_index { |x, _| wait(x) }
  end

  def wait(n)
    [n].each do |x|
      sleep x
    end
  end
end
Thread.new do
  Thread.current.name = "worker"
  Thread.stop
end
Thread.pass
load File.join(__dir__, "ruby_values.rb")
$stdout.puts "ready #{Process.pid} #{ObjectSpace.dump(VALUES)[/0x\h+/]}"
$stdout.flush
Shop.new.order(1000)
