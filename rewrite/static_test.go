package rewrite

import "testing"

// Code that makes no sense does not stop us: the compiler reports it, or the program does.
func TestStaticMistakes(t *testing.T) {
	for _, text := range []string{
		"var x = f(int())",
		"var x = f(map[int]int{1})",
		"var x = f([]int{a: 1}.b())",
		"var x = f(errors.New())",
		"var x = f(struct{}{1, 2})",
		"var x = f(f)(f...)",
		"func init()",
		"var x = r()\n\nfunc r() int { return r() }", // compiles, and never ends
	} {
		source := "package p\n\nfunc f(n int) int { return g(n, int(), h(T())) }\n\n" + text + "\n"
		opts := Options{ImportPath: "p", Inlined: true, Free: true, Main: true}
		if _, err := markPackage(opts, []Source{{"/src/x.go", []byte(source)}}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
