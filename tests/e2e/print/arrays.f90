! SPDX-License-Identifier: MIT
! Arrays begin at 1 unless it is said, and the first index varies fastest.
module arrays
	implicit none
	type point
		real(8) :: x = 1.5d0
		integer :: fixed(3, 2) = reshape([1, 2, 3, 4, 5, 6], [3, 2])
		integer(1) :: behind = -1
	end type
	type(point), target :: g
	integer :: plain(10) = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
	integer :: from_minus_two(-2:2) = [1, 2, 3, 4, 5]
	integer :: matrix(2, 3) = reshape([1, 2, 3, 4, 5, 6], [2, 3])
end module
program main
	use arrays
	use iso_c_binding
	interface
		function c_pause() bind(c, name="pause")
			import
			integer(c_int) :: c_pause
		end function
		function c_getpid() bind(c, name="getpid")
			import
			integer(c_int) :: c_getpid
		end function
	end interface
	integer :: r
	print *, "ready", c_getpid()
	flush(6)
	r = c_pause()
	print *, r, g%behind, plain, from_minus_two, matrix
end program
