//go:build browser

// Package browser opens reports that are pages in a real browser, and uses them as people
// do. It is skipped where there is no Chromium, and built with -tags=browser only: the
// protocol of Chromium alone takes as long to compile as all other libraries of the tests.
package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/output/html"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// chromium returns the browser, and skips the test if there is none.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no chromium")
	return ""
}

// start starts a browser with an empty profile. It would tell its maker of itself if nobody
// forbade it.
func start(t *testing.T) context.Context {
	t.Helper()
	profile, err := os.MkdirTemp("", "scavenger-browser-")
	if err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1440, 900), chromedp.WSURLReadTimeout(2*time.Minute))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // it waits until the browser has written its profile
		cancel()
		_ = os.RemoveAll(profile)
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// A tab shows one report, and notes what no report may do.
type tab struct {
	*testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string
}

// open writes a report as a page, and opens it. When the test ends, the page must have
// asked for nothing, logged nothing and run nothing that is not its own.
func open(t *testing.T, browser context.Context, r *report.Report, opts html.Options) *tab {
	t.Helper()
	return openFile(t, browser, write(t, r, opts), "")
}

func write(t *testing.T, r *report.Report, opts html.Options) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := html.Write(file, r, opts); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func openFile(t *testing.T, browser context.Context, name, fragment string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	p := &tab{T: t, ctx: ctx}
	t.Cleanup(func() {
		cancel()
		closeTab()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, s := range p.wrong {
			t.Error(s)
		}
	})
	self := (&url.URL{Scheme: "file", Path: filepath.ToSlash(name)}).String()
	chromedp.ListenTarget(ctx, func(event any) { p.note(event, self) })
	p.run(network.Enable(), log.Enable(), performance.Enable(), chromedp.Navigate(self+fragment),
		chromedp.Poll(`performance.getEntriesByName('report-open').length > 0`, nil, chromedp.WithPollingTimeout(time.Minute)))
	return p
}

func (p *tab) note(event any, self string) {
	var wrong string
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.URL != self && !strings.HasPrefix(e.Request.URL, "data:") {
			wrong = "it asks for " + e.Request.URL
		}
	case *runtime.EventConsoleAPICalled:
		for _, arg := range e.Args {
			wrong += fmt.Sprintf("it logs %s %s", arg.Value, arg.Description)
		}
	case *runtime.EventExceptionThrown:
		wrong = "it throws " + e.ExceptionDetails.Error()
	case *log.EventEntryAdded:
		wrong = "the browser logs " + e.Entry.Text
	case *cdpage.EventJavascriptDialogOpening:
		wrong = "it runs what is in the data: " + e.Message
		go func() { _ = chromedp.Run(p.ctx, cdpage.HandleJavaScriptDialog(true)) }()
	}
	if wrong != "" {
		p.mu.Lock()
		p.wrong = append(p.wrong, wrong)
		p.mu.Unlock()
	}
}

func (p *tab) run(actions ...chromedp.Action) {
	p.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		p.Fatal(err)
	}
}

// eval returns the value of an expression. A promise is awaited.
func eval[V any](p *tab, expression string) (v V) {
	p.Helper()
	p.run(chromedp.Evaluate(expression, &v, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	return v
}

// cpu returns the seconds of CPU that the page's thread has had.
func (p *tab) cpu() (seconds float64) {
	p.Helper()
	p.run(chromedp.ActionFunc(func(ctx context.Context) error {
		metrics, err := performance.GetMetrics().Do(ctx)
		for _, m := range metrics {
			if m.Name == "ThreadTime" {
				seconds = m.Value
			}
		}
		return err
	}))
	if seconds == 0 {
		p.Fatal("the browser does not say what CPU the page took")
	}
	return seconds
}

// settle waits until all that was asked for is drawn.
func (p *tab) settle() {
	p.Helper()
	eval[bool](p, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

func (p *tab) click(selector string) {
	p.Helper()
	p.run(chromedp.Click(selector, chromedp.ByQuery))
	p.settle()
}

func (p *tab) keys(text string) {
	p.Helper()
	p.run(chromedp.KeyEvent(text))
	p.settle()
}

// slash presses the key that goes to the search. KeyEvent would type it there as well, which
// no keyboard does.
func (p *tab) slash() {
	p.Helper()
	for _, kind := range []input.KeyType{input.KeyRawDown, input.KeyUp} {
		p.run(input.DispatchKeyEvent(kind).WithKey("/").WithCode("Slash"))
	}
	p.settle()
}

// text returns what an element shows.
func (p *tab) text(selector string) string {
	p.Helper()
	return eval[string](p, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ''`, selector))
}

// rows returns the names in the table.
func (p *tab) rows() []string {
	p.Helper()
	return eval[[]string](p, `[...document.querySelectorAll('.body .row')].sort((a, b) => a.dataset.row - b.dataset.row).map(r => r.querySelector('.c-name').innerText)`)
}

// focus returns what has the focus: its ID, its class or its tag.
func (p *tab) focus() string {
	p.Helper()
	return eval[string](p, `(e => e.id || e.className || e.tagName)(document.activeElement)`)
}

func (p *tab) wantRows(want ...string) {
	p.Helper()
	if got := p.rows(); !slices.Equal(got, want) {
		p.Errorf("rows %q, want %q", got, want)
	}
}

func (p *tab) wantText(selector string, want ...string) {
	p.Helper()
	got := p.text(selector)
	for _, w := range want {
		if !strings.Contains(got, w) {
			p.Errorf("%s is %q, want %q in it", selector, got, w)
		}
	}
}
