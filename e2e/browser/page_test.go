//go:build browser

// What people do with a page: look, search, sort, open, zoom, with mouse and keyboard.

package browser

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/output/html"
)

// All tests share a browser: to start it takes longer than each of them.
func TestPage(t *testing.T) {
	browser := start(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, p *tab)
	}{
		{"numbers", numbers}, {"table", tableOfFunctions}, {"evidence", evidence}, {"keyboard", keyboard}, {"map", treeMap}, {"media", media},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t, browser, sample(), html.Options{Source: checkout(t)})) })
	}
	t.Run("address", func(t *testing.T) {
		address(t, openFile(t, browser, write(t, sample(), html.Options{}), "#q=cart&status=never&sort=name&f=3"))
	})
	t.Run("hostile", func(t *testing.T) { hostileNames(t, open(t, browser, hostile(), html.Options{})) })
	t.Run("large", func(t *testing.T) {
		const n = 100_000
		r := large(n)
		for i, tag := range tags { // those of a compressed block are no markup either
			r.Functions[i].Name = tag
		}
		name := write(t, r, html.Options{})
		largeReport(t, openFile(t, browser, name, ""), name, n)
	})
	t.Run("plan", func(t *testing.T) {
		planTab(t, open(t, browser, sample(), html.Options{Plan: samplePlan(tags[1]), Source: checkout(t)}))
	})
	for want, days := range map[string][2]int{
		"Less than a week of running proves little": {1, 6}, "No end of a month was observed": {1, 25}, "once a year": {0, 26}, // to 31 January
	} {
		t.Run(want, func(t *testing.T) {
			r := sample()
			r.Observed.From, r.Observed.To, r.Observed.ObservedFor = at(days[0]), at(days[1]), int64(days[1]-days[0])*day
			open(t, browser, r, html.Options{}).wantText("#banners", want)
		})
	}
	t.Run("empty", func(t *testing.T) {
		r := sample()
		r.Functions, r.Programs = nil, nil
		p := open(t, browser, r, html.Options{})
		p.wantText("#title", "0 of 0 functions never called")
		p.wantText("#grid", "No function is like that.")
		p.wantText("#map", "No lines are known here.")
	})
}

func numbers(_ *testing.T, p *tab) {
	p.wantText("#kicker", "shop (example.com/shop)")
	p.wantText("#title", "4 of 9 functions never called")
	p.wantText("#subtitle", "30 of 46 lines stand in them, 65 %")
	p.wantText("#facts", "40 days", "2026-01-05 08:00 to 2026-02-14 08:00 UTC", "Processes\n6", "Hosts\n2", "Environments\n2\nproduction, staging", "Builds\n1", "incomplete")
	p.wantText("#legend", "4 never called", "2 called", "1 not observable", "1 unknown", "1 kept")
	p.wantText("#banners", "incomplete data", "once a year")
	p.wantText("#changes", "Since old.json (up to 2026-01-04 08:00 UTC): 1 newly dead, 0 came alive, 0 new, 1 gone")
	p.click("#changes summary")
	p.wantText("#changes", "the old one is incomplete", "*Cart.Clear example.com/shop/cart, cart/cart.go:10", "gone example.com/shop/cart, cart/cart.go:90")
	p.click("#banners a")
	p.wantText("#basis", "v1.2.3", "1 function of older builds", "data/hits-1.hits: damaged: its head", "1 file in the checkout is not what was built")
}

func tableOfFunctions(t *testing.T, p *tab) {
	all := []string{"(*Cart).Clear", "Store.Open", "sum", "Rate", "lost", "fast", "yearly", "main", "(*Cart).Add"}
	p.wantRows(all...) // what was never called first, by lines
	if got := eval[string](p, `document.getElementById('grid').getAttribute('aria-rowcount')`); got != "10" {
		t.Errorf("aria-rowcount %s, want 10", got)
	}
	p.click(".c-name button")
	p.wantRows("(*Cart).Add", "(*Cart).Clear", "fast", "lost", "main", "Store.Open", "Rate", "sum", "yearly")
	p.click(".c-name button")
	p.wantRows("yearly", "sum", "Rate", "Store.Open", "main", "lost", "fast", "(*Cart).Clear", "(*Cart).Add")
	if got := eval[string](p, `document.querySelector('.head .c-name').getAttribute('aria-sort')`); got != "descending" {
		t.Errorf("aria-sort %s, want descending", got)
	}
	p.click(".c-last button")
	if got := p.rows()[:2]; !slices.Equal(got, []string{"main", "(*Cart).Add"}) {
		t.Errorf("by last call: %q come first, want those that were called", got)
	}
	p.click(".c-lines button")
	p.wantRows(all...)

	p.click(".chip.s-never")
	p.wantRows(all[:4]...)
	p.wantText("#count", "4 functions, 30 lines")
	p.click(".chip.s-hidden")
	p.wantRows("(*Cart).Clear", "Store.Open", "sum", "Rate", "fast")
	p.click(".chip.s-hidden")
	p.choose("#exported", "0")
	p.wantRows("sum")
	p.choose("#exported", "")
	p.choose("#kind", "linkedOut")
	p.wantRows("Store.Open")
	p.click(".chip.s-never")
	p.choose("#kind", "generated")
	p.wantRows("yearly")
	p.choose("#kind", "written")
	p.wantText("#count", "8 functions, 40 lines")
	p.choose("#kind", "")
	p.click(".chip.s-never")
	p.choose("#exported", "1")
	p.choose("#observed", fmt.Sprint(7*day))
	p.wantRows("(*Cart).Clear", "Store.Open")
	p.choose("#observed", "0")
	p.choose("#exported", "")
	p.run(chromedp.SendKeys("#search", "CART clear", chromedp.ByQuery))
	p.settle()
	p.wantRows("(*Cart).Clear")
	p.run(chromedp.SendKeys("#search", "nothing like it", chromedp.ByQuery))
	p.settle()
	p.wantRows()
	p.wantText("#grid", "No function is like that.")
}

// choose sets a list to a value, as a choice there does.
func (p *tab) choose(selector, value string) {
	p.Helper()
	eval[bool](p, fmt.Sprintf(`(e => { e.value = %q; return e.dispatchEvent(new Event('input', { bubbles: true })); })(document.querySelector(%q))`, value, selector))
	p.settle()
}

func evidence(t *testing.T, p *tab) {
	p.click(`[data-row="0"]`)
	p.wantText("#panel", "(*Cart).Clear", "Never called in 40 days of running.", "cart/cart.go:10, 12 lines", "example.com/shop/cart",
		"example.com.shop.cart.Cart.Clear(int)", "since 2026-01-05 08:00 UTC, for 40 days", "6 processes, 2 hosts, 2 environments, 1 application")
	p.run(chromedp.WaitVisible("#panel .code", chromedp.ByQuery))
	p.wantText("#panel .code", "func (c *Cart) Clear(n int) {", "</script><script>alert(1)</script>", "// A Cart is <b>bold</b>.")
	for n, want := range map[int]string{4: "line", 6: "line s-called", 8: "line s-called", 9: "line", 10: "line s-never here", 21: "line s-never here", 22: "line", 27: "line s-never"} {
		got := eval[string](p, fmt.Sprintf(`[...document.querySelectorAll('.code .line')].find(l => l.firstChild.textContent === '%d').className`, n))
		if got != want {
			t.Errorf("line %d is %q, want %q", n, got, want)
		}
	}
	if got := eval[string](p, `document.querySelector('.code .string').textContent`); got != "`raw" {
		t.Errorf("the first line of the literal is %q, want `raw", got)
	}
	p.click(`[data-function="0"]`)
	p.wantText("#panel", "Called, last at 2026-01-08 08:00 UTC.", "staging")
	p.click(`[data-function="4"]`)
	p.wantText("#panel", "Store.Open", "is not the one that was built", "No longer kept\nfor a customer, until 2025-01-01, from keep.txt:4", "the linker left it out")
	p.click(`[data-function="8"]`)
	p.wantText("#panel", "Never called in 40 days, and kept: runs on 31 December", "until 2027-02-01, from keep.txt:3", "generated")
	p.click(`[data-function="6"]`)
	p.wantText("#panel", "Whether it is called cannot be seen (nosplit).", "source was not at hand")
	p.click(`[data-function="7"]`)
	p.wantText("#panel", "Nothing is known: the time of its last call is damaged.")
	p.click("#panel .close")
	if got := eval[bool](p, `document.getElementById('panel').hidden`); !got {
		t.Error("the panel is open after its button to close it")
	}
}

func keyboard(t *testing.T, p *tab) {
	var order []string
	for range 14 {
		p.keys(kb.Tab)
		order = append(order, p.focus())
	}
	for i := 1; i < len(order); i++ {
		if order[i] == "grid" { // the last stop, after all that changes what it shows
			order = order[:i+1]
		}
	}
	for _, want := range []string{"skip", "search", "scope", "observed", "exported"} {
		if !slices.Contains(order, want) {
			t.Errorf("Tab goes to %q, want %s among it", order, want)
		}
	}
	p.slash()
	if got := p.focus(); got != "search" {
		t.Fatalf("after /, the focus is on %s, want search", got)
	}
	p.keys("cart/")
	p.wantRows("(*Cart).Clear", "Store.Open", "sum", "(*Cart).Add")
	p.keys(kb.ArrowDown)
	if got := p.focus(); got != "grid" {
		t.Fatalf("after ArrowDown, the focus is on %s, want grid", got)
	}
	p.keys(kb.ArrowDown)
	p.keys(kb.ArrowDown)
	if got := eval[string](p, `document.getElementById(document.getElementById('grid').getAttribute('aria-activedescendant')).querySelector('.c-name').innerText`); got != "sum" {
		t.Errorf("the keyboard is at %s, want sum", got)
	}
	p.keys(kb.Enter)
	p.wantText("#panel h3", "sum")
	p.keys(kb.ArrowUp)
	p.wantText("#panel h3", "Store.Open")
	p.keys(kb.End)
	p.wantText("#panel h3", "(*Cart).Add")
	p.keys(kb.Home)
	p.wantText("#panel h3", "(*Cart).Clear")
	p.keys(kb.Escape)
	if hidden := eval[bool](p, `document.getElementById('panel').hidden`); !hidden || p.focus() != "grid" {
		t.Errorf("after Escape, hidden is %v and the focus on %s; want true and grid", hidden, p.focus())
	}
	p.slash()
	p.keys(kb.Escape)
	if got := len(p.rows()); got != 9 {
		t.Errorf("%d rows after Escape in the search, want all 9", got)
	}
}

func treeMap(t *testing.T, p *tab) {
	area := func(label string) float64 {
		return eval[float64](p, fmt.Sprintf(`(e => e.offsetWidth * e.offsetHeight)(document.querySelector('#map [aria-label^=%q]'))`, label))
	}
	if cart, tax := area("example.com/shop/cart/cart.go: 20 lines, 85 % never called, 2 of 3 functions"), area("example.com/shop/tax"); cart < tax {
		t.Errorf("areas: 20 lines have %v, 14 lines %v", cart, tax)
	}
	p.click(`#map [aria-label^="example.com/shop/tax:"] .name`)
	p.wantRows("Rate", "lost", "fast", "yearly")
	p.wantText("#crumbs", "example.com/shop", "tax")
	p.click(`#map [aria-label^="example.com/shop/tax/tax.go"]`)
	p.wantText("#map", "Rate", "lost", "fast", "yearly")
	p.click(`#map [aria-label^="Rate"]`)
	p.wantText("#panel h3", "Rate")
	p.click("#crumbs button")
	if got := len(p.rows()); got != 9 {
		t.Errorf("%d rows at the top, want 9", got)
	}
	// A list of places does the same.
	p.choose("#scope", "1")
	p.wantRows("(*Cart).Clear", "Store.Open", "sum", "(*Cart).Add")
	p.wantText("#crumbs", "cart")
	p.choose("#scope", "0")

	p.run(chromedp.Focus(`#map [tabindex="0"]`, chromedp.ByQuery))
	seen := map[string]bool{}
	for _, key := range strings.Repeat(kb.ArrowRight, 6) + kb.ArrowDown + strings.Repeat(kb.ArrowLeft, 6) + kb.ArrowDown + kb.ArrowUp {
		seen[eval[string](p, `document.activeElement.getAttribute('aria-label')`)] = true
		p.keys(string(key))
	}
	if len(seen) < 4 {
		t.Errorf("arrow keys reach %v, want four boxes at least", seen)
	}
	p.run(chromedp.Focus(`#map [aria-label^="example.com/shop/cart:"]`, chromedp.ByQuery))
	p.keys(kb.Enter)
	p.wantText("#crumbs", "cart")
	p.keys(kb.Backspace)
	if got := p.text("#crumbs"); strings.Contains(got, "cart") {
		t.Errorf("after Backspace the place is %q", got)
	}
	if !eval[bool](p, `document.getElementById('map').contains(document.activeElement)`) {
		t.Error("zooming loses the focus")
	}
}

func media(t *testing.T, p *tab) {
	const background = `getComputedStyle(document.body).backgroundColor`
	light := eval[string](p, background)
	p.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	if dark := eval[string](p, background); dark == light {
		t.Errorf("the background is %s, light or dark", dark)
	}
	p.run(emulation.SetEmulatedMedia().WithFeatures(nil), chromedp.EmulateViewport(390, 800))
	p.settle()
	p.click(`[data-row="0"]`)
	if width := eval[int](p, `document.documentElement.scrollWidth`); width > 390 {
		t.Errorf("a narrow screen of 390 has %d to scroll", width)
	}
	p.wantText("#panel h3", "(*Cart).Clear")
	var pdf []byte
	p.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().Do(ctx)
		return err
	}))
	if !strings.HasPrefix(string(pdf), "%PDF") {
		t.Error("it cannot be printed")
	}
	p.run(emulation.SetEmulatedMedia().WithMedia("print"))
	for selector, want := range map[string]string{"#filters": "none", "#panel": "none", "#title": "block", "#map": "block", "#grid": "block"} {
		if got := eval[string](p, fmt.Sprintf(`getComputedStyle(document.querySelector(%q)).display`, selector)); got != want {
			t.Errorf("printed, %s is displayed as %s, want %s", selector, got, want)
		}
	}
}

func address(_ *testing.T, p *tab) {
	p.wantRows("(*Cart).Clear", "Store.Open", "sum")
	p.wantText("#panel h3", "sum")
	p.wantText("#panel", "source was not at hand")
}

func planTab(t *testing.T, p *tab) {
	p.wantText("#tabs [aria-selected=true]", "Plan")
	p.wantText("#plan", "Delete now", "1 function, 5 lines", "Decide", "1 place", "2 functions and 21 lines fall", "called at main.go:6 in shop.main",
		"when all go: shop.b, shop.c", "its type becomes io.Reader"+tags[1]+": main.go:9", "1 program of the plan left no data, such as example.com/shop/cmd/cron. What it may call is in no group until it leaves some.", "The source is not what was observed: 3 functions stand elsewhere in it.")
	p.click("#plan summary .p-why")
	p.wantText("#plan details", "main.go:6 call in example.com/shop.main (called)", "Falls with it:", "Store.Open", "cart/old/old.go:3")
	p.click("#plan summary button")
	p.wantText("#plan #panel h3", "(*Cart).Clear")
	p.wantText("#plan #panel .code", "func (c *Cart) Clear(n int) {")
	p.keys(kb.Escape)
	if !eval[bool](p, `document.getElementById('panel').hidden && document.activeElement.matches('#plan summary button')`) {
		t.Error("Escape does not lead back from the evidence")
	}
	p.run(chromedp.Focus("#tabs [aria-selected=true]", chromedp.ByQuery))
	p.keys(kb.ArrowRight)
	p.wantText("#tabs [aria-selected=true]", "Functions")
	if got := len(p.rows()); got != 9 {
		t.Errorf("%d rows beside the plan, want 9", got)
	}
	p.click("#map .cell")
	if !eval[bool](p, `document.getElementById('plan').hidden`) {
		t.Error("the plan is shown beside the functions")
	}
	p.keys(kb.Escape)
	p.click("#tabs button")
	p.slash()
	if got := p.focus(); got != "search" {
		t.Errorf("after / in the plan, the focus is on %s, want search", got)
	}
}

func hostileNames(t *testing.T, p *tab) {
	for i := range 9 {
		p.click(fmt.Sprintf(`[data-function="%d"]`, i))
		p.wantText("#panel h3", "N"+tags[i%len(tags)])
	}
	p.click("#changes summary")
	p.wantText("#changes", tags[0], tags[1], tags[3], tags[4])
	p.wantText("#kicker", tags[1])
	p.wantText("#facts", tags[0], tags[1])
	eval[bool](p, `document.getElementById('basis').open = true`)
	p.wantText("#basis", tags[0], tags[1], tags[3])
	p.wantText("#banners", "Only of host", "Only functions of", tags[4])
	if n := eval[int](p, `document.querySelectorAll('script:not([type]), img, [onmouseover], [onerror]').length`); n != 1 {
		t.Errorf("the page has %d scripts, images or handlers, want its own script alone", n)
	}
	if got := eval[string](p, `document.title`); !strings.Contains(got, tags[0]) {
		t.Errorf("title %q, want %q in it", got, tags[0])
	}
}

func largeReport(t *testing.T, p *tab, name string, n int) {
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	opened, cpu := eval[float64](p, `performance.getEntriesByName('report-open')[0].duration`), p.cpu()
	t.Logf("%d functions: %.1f MB, open after %.0f ms with %.2f s of CPU", n, float64(info.Size())/1e6, opened, cpu)
	if info.Size() > 15e6 {
		t.Errorf("%d bytes, want 15 MB at most", info.Size())
	}
	if cpu > 2 {
		t.Errorf("it took %.2f s of CPU to open, want 2 at most", cpu)
	}
	p.wantText("#title", "66,666 of 100,000 functions never called")
	if rows := len(p.rows()); rows < 5 || rows > 200 {
		t.Errorf("%d rows exist, want those in sight alone", rows)
	}
	p.run(chromedp.Focus("#grid", chromedp.ByQuery))
	p.keys(kb.End)
	if got := eval[string](p, `document.querySelector('.row.at').dataset.row`); got != fmt.Sprint(n-1) {
		t.Errorf("End goes to row %s, want the last of %d", got, n)
	}
	search := eval[float64](p, `(() => { const t = performance.now(), s = document.getElementById('search'); s.value = 'refund 54321'; s.dispatchEvent(new Event('input', { bubbles: true })); return performance.now() - t; })()`)
	sort := eval[float64](p, `(() => { const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input', { bubbles: true })); const t = performance.now(); document.querySelector('.c-name button').click(); return performance.now() - t; })()`)
	t.Logf("a search takes %.0f ms, a sort by name %.0f ms", search, sort)
	p.choose("#search", "54321")
	if rows := p.rows(); len(rows) != 1 || !strings.HasSuffix(rows[0], "54321") {
		t.Errorf("a search finds %q, want the one function", rows)
	}
}
