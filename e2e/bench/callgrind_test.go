package main

import "testing"

func TestInstructionsOf(t *testing.T) {
	const profile = "events: Ir\nfn=(1) example.com/m/p.F\n5 10\n+1 3\ncfn=(2) runtime.mallocgc\ncalls=1 0\n+2 900\n* 4\n\n" +
		"fn=(2)\n0 100\ncfn=(3) main.main\ncalls=2 7\n9 50\n\nfn=(3)\n0 20\n\nfn=(1)\n7 1\nfn=(4) example.com/other.G\n1 1000\nfn=(5) example.com/m-x.G\n1 1000\n"
	if n, err := instructionsOf(profile, "example.com/m"); err != nil || n != 10+3+4+20+1 {
		t.Errorf("%.0f instructions, %v", n, err)
	}
}
