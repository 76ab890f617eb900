# SPDX-License-Identifier: MIT
# What `weir print ruby:frames` shows: names, lines and threads that the test knows.
class Shop
  def order(n)
    wait(n)
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
$stdout.puts "ready #{Process.pid}"
$stdout.flush
Shop.new.order(1000)
