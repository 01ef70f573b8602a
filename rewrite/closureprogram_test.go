package rewrite

// closureProgram is a program that prints line and name of each function literal that it
// calls. Each literal is on a line of its own.
var closureProgram = map[string]string{
	"main.go": `package main

import (
	"example.com/program/other"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"slices"
	"unsafe"
)

func at() {
	pc, _, line, _ := runtime.Caller(1)
	fmt.Println(line, runtime.FuncForPC(pc).Name())
}

var early = later(func() { at() })

var literal = func() { at() }

var table = map[string]func(){
	"a": func() { at() },
	"b": func() {
		at()
		func() { at() }()
	},
}

var _ = func() int { at(); return 1 }()

var one, two = func() { at() }, struct{ f func() }{
	f: func() { at() }}

func later(f func()) func() { dependency(); return f }

func dependency() { new(T).Needed() }

func (*T) Needed() { late() }

var late = func() { at() }

func init() { func() { at() }() }

func init() {
	func() { at() }()
}

func _() { func() { at() }() }

func seq() iter.Seq[int] {
	return func(yield func(int) bool) { at(); yield(1) }
}

const debugging = false

func ranges() {
	func() { at() }()
	for range seq() {
		func() { at() }()
		for range seq() {
			func() {
				at()
				func() { at() }()
			}()
			defer func() { at() }()
		}
		func() { at() }()
	}
	func() {
		for range seq() {
			func() { at() }()
		}
		func() { at() }()
	}()
	for range slices.Values([]int{1}) {
		func() { at() }()
	}
	over(seq())
	var list [1]int
	for list[func() int { at(); return 0 }()] = range seq() {
		func() { at() }()
	}
	for range func() []int { at(); return []int{1} }() {
		func() { at() }()
	}
	func() { at() }()
}

func over[F ~func(func(int) bool)](f F) {
	for range f {
		func() { at() }()
	}
	func() { at() }()
}

func constants(yes bool) {
	if debugging {
		func() { at() }()
	} else {
		func() { at() }()
	}
	if debugging && func() bool { at(); return true }() {
		func() { at() }()
	}
	if func() bool { at(); return false }() && debugging {
		func() { at() }()
	}
	if (debugging || !debugging) || func() bool { at(); return true }() {
		func() { at() }()
	}
	if (yes && debugging) {
		func() { at() }()
	}
	for debugging {
		func() { at() }()
	}
	for i := func() int { at(); return 0 }(); i < func() int { at(); return 1 }(); i += func() int { at(); return 1 }() {
	}
	switch debugging {
	case true:
		func() { at() }()
	case false:
		func() { at() }()
	}
	switch {
	case runtime.GOOS == "plan9":
		func() { at() }()
	default:
		func() { at() }()
	}
	switch {
	case debugging:
		func() { at() }()
	case other.On:
		func() { at() }()
		fallthrough
	case yes:
		func() { at() }()
	}
	switch x := any(yes); x.(type) {
	case int:
		func() { at() }()
	case bool:
		func() { at() }()
	}
	const n = len([...]func(){func() {}})
	_ = [len([1]func(){func() {}})]int{}
	_ = unsafe.Sizeof(func() { at() })
	func() { at() }()
	if other.Debug || runtime.GOOS == "plan9" {
		func() { at() }()
	}
	func() { at() }()
	select {
	case func() chan int { at(); c := make(chan int, 1); return c }() <- func() int { at(); return 1 }():
		func() { at() }()
	}
	if yes {
		goto end
		func() { at() }()
	}
	if !debugging {
		{
			return
		}
	}
	func() { at() }()
end:
	func() { at() }()
	if other.On {
		panic(func() int { at(); return 1 }())
	}
	func() { at() }()
}

type T struct{ f func() }

func (t *T) Pointer() { func() { at() }() }
func (t T) Value() { func() { at() }() }

type G[X any] struct{ x X }

func (g *G[X]) Pointer() {
	func() { at() }()
}
func (g G[X]) Value() { func() { at() }() }
func Generic[X any](x X) {
	func() {
		at()
		func() { at() }()
	}()
}

func statements() {
	done := make(chan bool)
	go func() { at(); done <- true }()
	<-done
	defer fmt.Sprint("x")
	defer func(x int) { at() }(1)
	go debug.FreeOSMemory()
	t := &T{func() { at() }}
	t.f()
	m := t.Pointer
	m()
	func() func() {
		at()
		return func() { at() }
	}()()
	slices.SortFunc([]int{2, 1}, func(a, b int) int { at(); return a - b })
	apply(func() { at() },
		func() { at() })
}

func apply(list ...func()) {
	for _, f := range list {
		f()
	}
}

func main() {
	defer func() { recover(); at() }()
	early(); literal(); table["a"](); table["b"](); one(); two.f(); late()
	ranges()
	new(T).Pointer(); T{}.Value(); new(G[int]).Pointer(); G[string]{}.Value(); Generic(1); Generic("x")
	statements()
	more()
	func() {
		defer func() { recover(); at() }()
		constants(true)
	}()
	constants(false)
}
`,
	"more.go": `package main

var more = func() {
	func() { at() }()
}

func init() {
	func() { at() }()
}
`,
	"other/other.go": `package other

const Debug = false
const On = true
`,
	"go.mod": "module example.com/program\n\ngo 1.24\n",
}
