package results

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium returns the browser's path. Without one the test is skipped, loudly,
// unless FALLACY_REQUIRE says that it must run.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if slices.Contains(strings.Split(os.Getenv("FALLACY_REQUIRE"), ","), "chromium") {
		t.Fatal("there is no chromium, and FALLACY_REQUIRE asks for it")
	}
	t.Skip("NOT TESTED: nobody looked at the report, as there is no chromium")
	return ""
}

// tab is a browser's tab that notes whatever should not happen.
type tab struct {
	*testing.T
	ctx  context.Context
	lock sync.Mutex
	bad  []string
}

// browser starts a browser for all subtests.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WindowSize(1400, 1000), chromedp.DisableGPU, chromedp.WSURLReadTimeout(2*time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("starting the browser: ", err)
	}
	return ctx
}

// open opens a page in a new tab and waits until ready holds. The page may ask
// the server for what is wanted, and for nothing else.
func open(t *testing.T, browser context.Context, url, ready string, wanted ...string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	must(t, chromedp.Do(ctx)) // opens the tab, without a deadline that would end it
	ctx, cancel = context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx}
	must(t, chromedp.Listen(ctx, func(event any) { b.listen(event, url, wanted) }))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	must(t, err)
	_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	must(t, err)
	calm := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "prefers-color-scheme", Value: "light"}}}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, calm)
	must(t, err)
	b.run(chromedp.Navigate(url))
	b.until(ready)
	return b
}

func (b *tab) listen(event any, url string, wanted []string) {
	what := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		page, _, _ := strings.Cut(url, "#")
		if got, _, _ := strings.Cut(e.Request.URL, "#"); got != page && !strings.HasSuffix(got, "/favicon.ico") && !slices.ContainsFunc(wanted, func(w string) bool { return strings.Contains(got, w) }) {
			what = "a request for " + e.Request.URL
		}
	case *runtime.EventConsoleAPICalled:
		what = fmt.Sprintf("console.%s", e.Type)
		for _, a := range e.Args {
			what += " " + string(a.Value) + a.Description
		}
	case *runtime.EventExceptionThrown:
		what = "an exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			what += " " + x.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
			what = "a log entry: " + e.Entry.Text
		}
	}
	if what != "" {
		b.lock.Lock()
		b.bad = append(b.bad, what)
		b.lock.Unlock()
	}
}

// close fails the test for whatever happened that should not have.
func (b *tab) close() {
	b.Helper()
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, what := range b.bad {
		b.Errorf("the page caused %s", what)
	}
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Minute)
	defer cancel()
	for i, a := range actions {
		if err := chromedp.Do(ctx, a); err != nil {
			b.Fatalf("action %d of %d: %v", i+1, len(actions), err)
		}
	}
}

// eval evaluates JavaScript in the page.
func eval[T any](b *tab, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

// script is an action that runs JavaScript for its effect.
func script(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](text)
}

// until waits for a condition in the page.
func (b *tab) until(condition string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Minute)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition, chromedp.WithPollingInterval(10*time.Millisecond), chromedp.WithPollingTimeout(3*time.Minute))); err != nil {
		b.Fatalf("waiting for %s: %v", condition, err)
	}
}

// shot keeps a picture where FALLACY_SHOTS says, for people to look at.
func (b *tab) shot(name string) {
	b.Helper()
	dir := os.Getenv("FALLACY_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	must(b.T, err)
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.Fatal(err)
	}
}

// at returns where the middle of an operation's bar is in the window.
func (b *tab) at(call int) (x, y float64) {
	b.Helper()
	b.run(script(`$('c-ops').scrollIntoView({block: 'center'})`))
	p := eval[[]float64](b, fmt.Sprintf(`(() => { const r = $('c-ops').getBoundingClientRect(); return [r.left + (X(R.inv[%d]) + X(R.end[%d])) / 2, r.top + lay.laneY[R.lane[%d]] + 5]; })()`, call, call, call))
	return p[0], p[1]
}

const (
	ready = `document.documentElement.dataset.ready === 'yes'`
	still = `!asked && drawn > 0`
)
