package hitrt

// Waiting on Linux.
//
// The runtime's timers need its network poller, which makes two descriptors when the
// first timer starts, and ends the program when they are closed. A program that
// closes all descriptors from 3 on, which a daemon does, has no timer before that, or
// it would die without us. So there is none of ours either as long as the program has no
// poller: the publisher waits in a futex, a system call that the runtime itself
// waits in. As soon as the poller is there a timer is better: it takes no thread.

import (
	"math/bits"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// An alarm is waited for without a timer.
type alarm struct{ rung atomic.Uint32 }

const (
	futexWait = 0 | 128 // FUTEX_WAIT, FUTEX_PRIVATE_FLAG
	futexWake = 1 | 128
)

// ring wakes who waits, or who is next to.
func (a *alarm) ring() {
	a.rung.Store(1)
	a.futex(futexWake, 1<<30, nil)
}

// wait returns when the alarm has rung, or d has passed, or earlier.
func (a *alarm) wait(d time.Duration) {
	if a.rung.Swap(0) != 0 || d <= 0 {
		return
	}
	timeout := syscall.NsecToTimespec(int64(d))
	a.futex(futexWait, 0, &timeout)
	a.rung.Store(0)
}

func (a *alarm) futex(op, value uintptr, timeout *syscall.Timespec) {
	_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&a.rung)), op, value, uintptr(unsafe.Pointer(timeout)), 0, 0)
}

// A pollerWatch tells whether the runtime has started its poller. It belongs to the
// publisher's goroutine, but for running.
type pollerWatch struct {
	running   atomic.Bool
	inherited uint32 // descriptors like it that are not
}

// begin looks at what is there when the program starts. What has come through exec
// is no poller of this process.
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

// runs reports whether the poller runs. It is an epoll descriptor and one for
// events, and has been looked for among the first numbers, where it mostly is: to
// miss it costs a thread.
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

// two reports whether a set has two members or more.
func two(set uint32) bool { return set&(set-1) != 0 }

// anonymous returns the numbers below 32 of descriptors that are files of no type.
func anonymous() (numbers uint32) {
	for fd := 3; fd < 32; fd++ {
		var st syscall.Stat_t
		if syscall.Stat("/proc/self/fd/"+strconv.Itoa(fd), &st) == nil && st.Mode&syscall.S_IFMT == 0 {
			numbers |= 1 << fd
		}
	}
	return numbers
}
