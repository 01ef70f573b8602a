//go:build browser

// The reports that the tests open, and the source of one.

package browser

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/output/html"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

const day = 24 * 3600

func at(days int) time.Time {
	return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC).AddDate(0, 0, days)
}

// function returns a function of the module example.com/shop that was observed for 40 days.
func function(pkg, receiver, name, file string, line, lines int, status report.Status) report.Function {
	f := report.Function{
		Package: "example.com/shop" + pkg, Receiver: receiver, Name: name, File: file, Line: line, Lines: lines,
		Module: "example.com/shop", Status: status,
		Evidence: report.Evidence{ObservedSince: at(0), ObservedFor: 40 * day, Processes: 6, Hosts: 2, Environments: 2, Applications: 1},
	}
	class := strings.TrimPrefix(receiver, "*")
	if class == "" {
		class = "func"
	}
	f.Signature = strings.ReplaceAll(f.Package, "/", ".") + "." + class + "." + name + "(int)"
	if status == report.Called {
		f.LastCalledAt, f.CalledIn = at(3), []string{"staging"}
	}
	return f
}

// sample is a report with a function of each kind.
func sample() *report.Report {
	young := function("/tax", "", "Rate", "tax/tax.go", 3, 4, report.NeverCalled)
	young.Evidence = report.Evidence{ObservedSince: at(39), ObservedFor: 7200, Processes: 1, Hosts: 1, Environments: 1, Applications: 1}
	hidden := function("/tax", "", "fast", "tax/tax.go", 8, 2, report.NotObservable)
	hidden.Reason, hidden.Evidence = "nosplit", report.Evidence{}
	lost := function("/tax", "", "lost", "tax/tax.go", 11, 2, report.Unknown)
	lost.Reason = "the time of its last call is damaged"
	kept := function("/tax", "", "yearly", "tax/tax.go", 14, 6, report.NeverCalled)
	kept.Keep, kept.Generated = &report.Keep{Reason: "runs on 31 December", Until: "2027-02-01", From: "keep.txt:3"}, true
	old := function("/cart/old", "Store", "Open", "cart/old/old.go", 3, 9, report.NeverCalled)
	old.Keep, old.LinkedOut = &report.Keep{Reason: "for a customer", Until: "2025-01-01", From: "keep.txt:4", Expired: true}, true
	r := &report.Report{
		Functions: []report.Function{
			function("", "", "main", "main.go", 5, 3, report.Called),
			function("/cart", "*Cart", "Add", "cart/cart.go", 6, 3, report.Called),
			function("/cart", "*Cart", "Clear", "cart/cart.go", 10, 12, report.NeverCalled),
			function("/cart", "", "sum", "cart/cart.go", 23, 5, report.NeverCalled),
			old, young, hidden, lost, kept,
		},
		Removed: []report.Function{function("/cart", "", "gone", "cart/cart.go", 90, 2, report.NeverCalled)},
		Observed: report.Observed{
			From: at(0), To: at(40), ObservedFor: 40 * day, Processes: 6, Hosts: 2, Builds: 1,
			Environments: []string{"production", "staging"}, Applications: []string{"shop"},
		},
		Processes: report.Processes{Total: 6},
		Problems:  []report.Problem{{File: "data/hits-1.hits", Kind: report.Damaged, Err: errors.New("damaged: its head")}},
	}
	r.Baseline = &report.Baseline{
		File: "old.json", To: at(-1), Notes: []string{"the old one is incomplete"},
		NewlyDead: []report.Change{{Package: "example.com/shop/cart", Receiver: "*Cart", Name: "Clear", File: "cart/cart.go", Line: 10, Was: report.Called, Is: report.NeverCalled}},
		Gone:      []report.Change{{Package: "example.com/shop/cart", Name: "gone", File: "cart/cart.go", Line: 90, Was: report.Called}},
	}
	r.Programs = []report.Program{{
		App: "shop", Main: "example.com/shop", Module: "example.com/shop", Environments: r.Observed.Environments,
		Processes: 6, Hosts: 2, From: at(0), To: at(40), ObservedFor: 40 * day,
		Builds: []report.Build{{Versions: []string{"v1.2.3"}, Environments: r.Observed.Environments, Functions: 9, Processes: 6, From: at(0), To: at(40), ObservedFor: 40 * day, InUse: true}},
	}}
	return r
}

// checkout writes source for sample: cart.go is what was built, old.go is not.
func checkout(t *testing.T) *html.Source {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":          "module example.com/shop\n",
		"main.go":         "package main\n\n\n\nfunc main() {\n\tcart.New().Add(1)\n}\n",
		"cart/old/old.go": "package old\n\n\nfunc (s Store) Open(n int) {\n}\n",
		"cart/cart.go": "package cart\n\n// A Cart is <b>bold</b>.\ntype Cart struct{}\n\nfunc (c *Cart) Add(n int) {\n\t_ = `raw\n` }\n\nfunc (c *Cart) Clear(n int) {\n" +
			strings.Repeat("\t_ = \"</script><script>alert(1)</script>\"\n", 10) + "}\n\nfunc sum(n int) {\n\t/*\n\t*/\n\treturn\n}\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s, err := html.OpenSource(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// tags are names that would do something if anything read them as markup.
var tags = []string{
	`<script>alert(1)</script>`, `</script><script>alert(2)</script>`, `<!--<script>`, `"><img src=x onerror=alert(3)>`,
	`'onmouseover='alert(4)`, `{{alert(5)}}`, "<!--data-->", "\u2028alert(6)//",
}

// hostile is a report in which every text is one of tags.
func hostile() *report.Report {
	r := sample()
	for i := range r.Functions {
		f, tag := &r.Functions[i], tags[i%len(tags)]
		f.Package, f.Receiver, f.Name, f.Signature = "p"+tag, "*R"+tag, "N"+tag, tag
		f.File, f.Module, f.Reason = tag+".go", tag, tag
		if f.Keep != nil {
			f.Keep = &report.Keep{Reason: tag, Until: tag, From: tag}
		}
		if f.CalledIn != nil {
			f.CalledIn = []string{tag}
		}
	}
	o, p := &r.Observed, &r.Programs[0]
	o.Environments, o.Applications = tags, tags
	p.App, p.Main, p.Module, p.Environments = tags[1], tags[0], tags[3], tags
	p.Builds[0].Versions, p.Builds[0].Environments = tags, tags
	b := r.Baseline
	b.File, b.Notes, b.Gone[0].Package, b.Gone[0].Name, b.Gone[0].Receiver, b.Gone[0].File = tags[0], tags, tags[1], tags[2], tags[3], tags[4]
	r.Filter.Hosts, r.Selection.Packages = tags, tags
	r.Mute = r.Programs
	r.Problems[0].File, r.Problems[0].Err = tags[1], errors.New(tags[0])
	return r
}

// samplePlan is a plan for sample, as scavenger-wrap plan writes it. Some of its texts have
// a tag.
func samplePlan(tag string) any {
	function := func(receiver, name, file string, line, lines int) map[string]any {
		return map[string]any{"package": "example.com/shop/cart", "receiver": receiver, "name": name, "file": file, "line": line, "lines": lines, "status": "never-called"}
	}
	open := function("Store", "Open", "cart/old/old.go", 3, 9)
	open["package"] = "example.com/shop/cart/old"
	entry := function("*Cart", "Clear", "cart/cart.go", 10, 12)
	entry["sites"] = []any{map[string]any{"file": "main.go", "line": 6, "kind": "call", "caller": "example.com/shop.main", "status": "called"}}
	entry["falls"], entry["fallsFunctions"], entry["fallsLines"] = []any{open}, 2, 21
	shared := function("", "elsewhere"+tag, "cart/cart.go", 1, 1)
	shared["entries"] = []string{"example.com/shop.b", "example.com/shop.c"}
	kept := function("*Cart", "Read", "cart/cart.go", 1, 1)
	kept["reason"], kept["site"] = "its type becomes io.Reader"+tag, map[string]any{"file": "main.go", "line": 9}
	return map[string]any{
		"programs":   []any{"example.com/shop", "example.com/shop/cmd/cron"},
		"difference": map[string]any{"missing": []any{}, "moved": 3, "packages": []any{}, "unobserved": []any{"example.com/shop/cmd/cron"}}, "unreachable": []any{function("", "sum", "cart/cart.go", 23, 5)},
		"entries": []any{entry}, "shared": []any{shared}, "mustStay": []any{kept},
	}
}

// words are what names are made of.
var words = strings.Fields("Account Address Batch Billing Cache Catalog Check Client Close Commit Config Convert Count Create Currency Customer Delete Delivery " +
	"Encode Error Event Export Fetch Filter Find Format Handle Import Index Invoice Item Job List Load Lock Log Map Match Merge Message Metric Node Open Order " +
	"Parse Payment Plan Price Process Product Query Queue Read Refund Report Request Reset Retry Route Rule Save Schedule Send Session Ship Sort Start Status " +
	"Stock Stop Store Stream Sync Task Tax Token Trace Update User Validate Vendor Verify Watch Worker Write")

// large is a report on n functions in packages of a hundred, with names that are as long,
// and differ as much, as those of real programs.
func large(n int) *report.Report {
	random := rand.New(rand.NewPCG(1, 2))
	name := func(parts int) (s string) {
		for range parts {
			s += words[random.IntN(len(words))]
		}
		return s
	}
	r := sample()
	r.Functions = nil
	var pkg, file, receiver string
	line := 1
	for i := range n {
		if i%100 == 0 {
			pkg = fmt.Sprintf("internal/%s/%s%d", strings.ToLower(name(1)), strings.ToLower(name(2)), i/100)
		}
		if i%25 == 0 {
			file, receiver, line = fmt.Sprintf("%s/%s_%d.go", pkg, strings.ToLower(name(2)), i%100/25), "*"+name(2), 1
		}
		status := report.NeverCalled
		if i%3 == 0 {
			status = report.Called
		}
		f := function("/"+pkg, receiver, fmt.Sprint(name(1+random.IntN(4)), i), file, line, 1+random.IntN(60), status)
		f.Signature = strings.TrimSuffix(f.Signature, "(int)") + "(context.Context,*" + name(2) + ")"
		if status == report.Called {
			f.LastCalledAt = at(0).Add(time.Duration(random.Int64N(int64(40 * 24 * time.Hour))))
		}
		line += f.Lines + 1 + random.IntN(9)
		r.Functions = append(r.Functions, f)
	}
	return r
}
