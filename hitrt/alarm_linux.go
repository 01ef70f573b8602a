// Waiting on Linux.
//
// The runtime's timers need its network poller, which makes two descriptors when the
// first timer starts, and ends the program when they are closed. A program that closes
// all descriptors from 3 on, as a daemon does, starts no timer before that, or it would
// die without us. So this package starts no timer either until the program has a
// poller, but for calls to a collector and an end in a crowd (crowd.go): the publisher waits
// in a futex, as the runtime itself does. Once there is a poller it uses a timer, which takes
// no thread.

package hitrt

import (
	"math/bits"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// An alarm wakes one waiter without a timer.
type alarm struct{ rung atomic.Uint32 }

const (
	futexWait = 0 | 128 // FUTEX_WAIT, FUTEX_PRIVATE_FLAG
	futexWake = 1 | 128
)

// ring wakes the waiter, or the next one to wait.
func (a *alarm) ring() {
	a.rung.Store(1)
	// It does not block, so the runtime need not know of it: the goroutine that calls Exit
	// keeps its processor (cooperative.go).
	_, _, _ = syscall.RawSyscall(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&a.rung)), futexWake, 1<<30)
}

// wait returns when the alarm has rung, or d has passed, or earlier.
func (a *alarm) wait(d time.Duration) {
	if a.rung.Swap(0) != 0 || d <= 0 {
		return
	}
	timeout := syscall.NsecToTimespec(int64(d))
	_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&a.rung)), futexWait, 0, uintptr(unsafe.Pointer(&timeout)), 0, 0)
	a.rung.Store(0)
}

// doze sleeps for a moment without giving up the processor: the runtime does not know of
// the system call.
func doze() {
	moment := syscall.NsecToTimespec(100_000)
	_, _, _ = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&moment)), 0, 0)
}

// A pollerWatch tells whether the runtime has started its poller. All of it but running
// belongs to the publisher's goroutine.
type pollerWatch struct {
	running   atomic.Bool
	inherited uint32 // descriptors that look like it and came through exec
}

// begin looks at the descriptors that are open when the program starts. One that came
// through exec is not a poller of this process.
func (w *pollerWatch) begin() {
	own := uint32(0)
	for found := anonymous(); found != 0; found &= found - 1 {
		fd := bits.TrailingZeros32(found)
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if errno == 0 && flags&syscall.FD_CLOEXEC != 0 {
			own |= 1 << fd
		} else {
			w.inherited |= 1 << fd
		}
	}
	if two(own) {
		w.running.Store(true)
	}
}

// runs reports whether the poller runs. The poller has two descriptors, epoll and
// eventfd, which runs looks for among the lowest numbers: they are mostly there, and
// missing them only costs a thread.
func (w *pollerWatch) runs() bool {
	if !w.running.Load() {
		now := anonymous()
		w.inherited &= now
		if two(now &^ w.inherited) {
			w.running.Store(true)
		}
	}
	return w.running.Load()
}

// start notes that the poller runs from now on. It returns false if it cannot, as where no
// descriptors are left: the runtime ends a program whose poller does not start, and who
// asks for a timer starts it.
func (w *pollerWatch) start() bool {
	if !w.running.Load() {
		w.running.Store(canPoll())
	}
	return w.running.Load()
}

// canPoll reports whether the system has the descriptors that the poller takes. None of the
// calls blocks, and a goroutine that ends the program keeps its processor (crowd.go).
func canPoll() bool {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	event, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno == 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, event, 0, 0)
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(epoll), 0, 0)
	return errno == 0
}

// two reports whether a set has at least two members.
func two(set uint32) bool { return set&(set-1) != 0 }

// anonymous returns the descriptors below 32 that are files without a type, such as
// epoll and eventfd.
func anonymous() (numbers uint32) {
	for fd := 3; fd < 32; fd++ {
		var st syscall.Stat_t
		if syscall.Stat("/proc/self/fd/"+strconv.Itoa(fd), &st) == nil && st.Mode&syscall.S_IFMT == 0 {
			numbers |= 1 << fd
		}
	}
	return numbers
}
