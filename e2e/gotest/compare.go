package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

type verdict string

const (
	same      verdict = "same"
	unstable  verdict = "unstable"
	notBuilt  verdict = "not built"
	different verdict = "DIFFERENT"
)

// A result is what the comparison of a program came to.
type result struct {
	name     string
	verdict  verdict
	why      string
	reported bool   // the marked program left data
	stdout   string // of the plain program
}

func (r result) String() string {
	lines := strings.Split(strings.TrimSpace(r.why), "\n")
	if len(lines) > 5 {
		lines = append(lines[:5], fmt.Sprintf("and %d lines", len(lines)-5))
	}
	return fmt.Sprintf("%-9s  %s: %s", r.verdict, r.name, strings.Join(lines, "\n\t"))
}

// compareAll compares all programs, and what those of them print that print
// programs. Each result is shown as soon as it is there.
func compareAll(ctx context.Context, o *options, subjects []subject, show func(result)) ([]result, error) {
	var results []result
	for len(subjects) > 0 {
		var printed []subject
		for _, b := range batches(subjects) {
			some, err := b.compare(ctx, o)
			if err != nil {
				return nil, err
			}
			for i, r := range some {
				show(r)
				if b[i].action == "runoutput" && r.verdict == same {
					printed = append(printed, subject{name: r.name + "/output", action: "run", text: []byte(r.stdout)})
				}
			}
			results = append(results, some...)
		}
		subjects = printed
	}
	return results, nil
}

// A trial is a program that is run in each of its variants, as often as it
// takes.
type trial struct {
	subject  *subject
	plain    []*outcome
	variants []variant
}

// A variant is a way to run the marked program.
type variant struct {
	name     string
	outcomes []*outcome
}

// compare returns the result of each program of the batch.
func (b batch) compare(ctx context.Context, o *options) ([]result, error) {
	if err := b.layOut(ctx, o); err != nil {
		return nil, err
	}
	results, err := b.buildBoth(ctx, o)
	if err != nil {
		return nil, err
	}
	trials := make([]trial, len(b))
	for i := range b {
		trials[i].subject = &b[i]
		trials[i].variants = []variant{{name: marked}}
		if o.dataDir {
			trials[i].variants = append(trials[i].variants, variant{name: reporting})
		}
	}
	if err := runAll(ctx, o, trials, results); err != nil {
		return nil, err
	}
	for i := range trials {
		if results[i].verdict != same {
			continue
		}
		// By itself, so that it is not for the others that it is different.
		for range 3 {
			if trials[i].same() {
				break
			}
			if err := trials[i].run(ctx, o); err != nil {
				return nil, err
			}
		}
		trials[i].judge(&results[i])
		entries, err := os.ReadDir(o.dataDirOf(&b[i]))
		results[i].reported = err == nil && len(entries) > 0
	}
	for _, dir := range []string{plain, marked, "run", "data"} {
		if err := os.RemoveAll(filepath.Join(o.dir, dir)); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// runAll runs each program that was built once, several at the same time.
func runAll(ctx context.Context, o *options, trials []trial, results []result) error {
	errs := make([]error, len(trials))
	slots := make(chan struct{}, o.parallel)
	var wg sync.WaitGroup
	for i := range trials {
		if results[i].verdict != same {
			continue
		}
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = trials[i].run(ctx, o)
			<-slots
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

// buildBoth builds the batch plain and marked. Results are same as far as that
// goes.
func (b batch) buildBoth(ctx context.Context, o *options) ([]result, error) {
	broken, err := b.broken(ctx, o)
	if err != nil {
		return nil, err
	}
	var loadable batch
	for _, s := range b {
		if broken[s.pkgName()] == "" {
			loadable = append(loadable, s)
		}
	}
	var refused, refusedMarked map[string]string
	if len(loadable) > 0 {
		if refused, err = loadable.build(ctx, o, plain); err != nil {
			return nil, err
		}
		if refusedMarked, err = loadable.build(ctx, o, marked, "-toolexec="+o.wrapper); err != nil {
			return nil, err
		}
	}
	results := make([]result, len(b))
	for i, s := range b {
		r := result{name: s.name, verdict: same}
		name := s.pkgName()
		switch {
		case broken[name] != "" || refused[name] != "":
			r.verdict, r.why = notBuilt, cmp.Or(broken[name], refused[name])
		case refusedMarked[name] != "":
			r.verdict, r.why = different, "build: "+refusedMarked[name]
		}
		results[i] = r
	}
	return results, nil
}

// run runs the program once more in each variant.
func (t *trial) run(ctx context.Context, o *options) error {
	got, err := o.run(ctx, t.subject, plain)
	if err != nil {
		return fmt.Errorf("%s: %w", t.subject.name, err)
	}
	t.plain = append(t.plain, got)
	for i := range t.variants {
		v := &t.variants[i]
		if got, err = o.run(ctx, t.subject, v.name); err != nil {
			return fmt.Errorf("%s, %s: %w", t.subject.name, v.name, err)
		}
		v.outcomes = append(v.outcomes, got)
	}
	return nil
}

// same reports whether there was one run, which showed no difference.
func (t *trial) same() bool {
	return len(t.plain) == 1 && !slices.ContainsFunc(t.variants, func(v variant) bool { return t.plain[0].diff(v.outcomes[0]) != "" })
}

// judge returns what the runs came to: the worst of the variants.
func (t *trial) judge(r *result) {
	r.stdout = t.plain[0].raw
	if t.same() {
		return
	}
	for _, v := range t.variants {
		found, why := t.compare(v)
		if found == different || found == unstable && r.verdict == same {
			r.verdict, r.why = found, v.name+": "+why
		}
		if found == different {
			return
		}
	}
}

// compare compares a variant, after more than one run. A program is unstable if
// the plain one is not always the same, or if the variant was only once not the
// same as it: when others ran beside it. If it never ends as the plain one does,
// it is different even so.
func (t *trial) compare(v variant) (verdict, string) {
	why := ""
	stable, statuses := true, map[string]bool{}
	for _, p := range t.plain {
		stable = stable && t.plain[0].diff(p) == ""
		statuses[p.status] = true
	}
	agree, sameStatus := 0, false
	for i, got := range v.outcomes {
		if d := t.plain[i].diff(got); d == "" {
			agree++
		} else if why == "" {
			why = d
		}
		sameStatus = sameStatus || statuses[got.status]
	}
	switch {
	case agree == len(v.outcomes):
		return same, ""
	case sameStatus && (!stable || agree == len(v.outcomes)-1):
		return unstable, why
	}
	return different, why
}
