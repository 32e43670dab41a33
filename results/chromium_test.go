package results

import (
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/fallacy-dev/fallacy"
)

func save(t *testing.T, name string, run Run, h fallacy.History) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, []byte(reportOf(t, run, h)), 0o644))
	return "file://" + path
}

// busyInvalid is a run in which something was found.
func busyInvalid(h fallacy.History) Run {
	run := busyRun()
	f := storyFinding()
	var ops []int
	for c := range h.Calls() {
		if c.Type() == fallacy.OK && c.Invoke.Time > h[len(h)-1].Time/5 {
			if ops = append(ops, c.Ops()...); len(ops) == 8 {
				break
			}
		}
	}
	f.Anomalies[0].Ops = ops
	f.Examined = len(h)
	run.Findings = []Finding{f}
	run.Took = h[len(h)-1].Time
	return judged(run, h)
}

func TestInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: leave out -short to look at the report in Chromium")
	}
	ctx := browser(t)
	h := busyHistory(2700, 20*time.Second)
	url := save(t, "invalid.html", busyInvalid(h), h)
	t.Run("invalid", func(t *testing.T) {
		b := open(t, ctx, url, ready)
		defer b.close()
		if got := eval[string](b, `document.querySelector('h1').textContent`); got != "Invalid: a read returned a value that had already been overwritten." {
			t.Errorf("the verdict reads %q", got)
		}
		b.shot("invalid")
		testZoom(b)
		testPin(b)
		testFilter(b)
		testPage(b)
	})
	t.Run("nodes", func(t *testing.T) {
		b := open(t, ctx, saveUsed(t), ready)
		defer b.close()
		testNodes(b)
		if eval[bool](b, `window.owned !== undefined`) {
			t.Error("markup of a configuration came alive")
		}
	})
	t.Run("link", func(t *testing.T) { testLink(t, ctx, url) })
	t.Run("narrow", func(t *testing.T) {
		b := open(t, ctx, url, ready)
		defer b.close()
		b.run(chromedp.EmulateViewport(400, 900, chromedp.EmulateScale(2)))
		b.until(`WIDTH < 420 && ` + still)
		if w := eval[float64](b, `document.scrollingElement.scrollWidth`); w > 400 {
			t.Errorf("the page is %v px wide in a window of 400", w)
		}
		b.shot("narrow")
	})
	t.Run("valid", func(t *testing.T) {
		run := busyRun()
		run.Verdict, run.Took = fallacy.Valid, 20*time.Second
		run.Findings = []Finding{{Checker: "linearizable", Title: run.Promise, Finding: fallacy.Finding{Verdict: fallacy.Valid, Examined: 2700}}}
		run.Ops = Count(h)
		b := open(t, ctx, save(t, "valid.html", run, h), ready)
		defer b.close()
		if got := eval[string](b, `document.querySelector('h1').textContent`); got != "Valid: the promise held." {
			t.Errorf("the verdict reads %q", got)
		}
		b.shot("valid")
	})
	t.Run("hostile", func(t *testing.T) {
		b := open(t, ctx, save(t, "hostile.html", hostileRun(), hostileHistory()), ready)
		defer b.close()
		b.run(script(`pin(0, true); $('list').open = true`))
		b.until(`$('listbody').querySelector('td') !== null && ` + still)
		if eval[bool](b, `window.owned !== undefined || document.querySelector('main img') !== null`) {
			t.Error("markup of the run came alive")
		}
		if got := eval[string](b, `$('pinned').textContent`); !strings.Contains(got, "<img src=x") {
			t.Errorf("the pinned operation reads %q", got)
		}
		b.shot("hostile")
	})
	t.Run("empty", func(t *testing.T) {
		b := open(t, ctx, save(t, "empty.html", Run{Name: "a/b"}, nil), ready)
		b.run(chromedp.KeyEvent("a"), chromedp.KeyEvent("n"), chromedp.KeyEvent("+"))
		b.close()
	})
	t.Run("large", func(t *testing.T) { testLarge(t, ctx) })
	t.Run("planted", func(t *testing.T) { testPlanted(t, ctx) })
	t.Run("million", func(t *testing.T) { testMillion(t, ctx) })
	t.Run("follow", func(t *testing.T) { testFollow(t, ctx) })
	t.Run("list", func(t *testing.T) { testList(t, ctx) })
}

func testZoom(b *tab) {
	span := func() float64 { return eval[float64](b, `view.b - view.a`) }
	whole := span()
	b.run(chromedp.Click(`[aria-label="Zoom in"]`))
	b.until(fmt.Sprintf(`Math.abs(view.b - view.a - %v / 2) < 1e-6 && %s`, whole, still))
	from := eval[float64](b, `view.a`)
	x, y := b.at(eval[int](b, `F.ops[lower(F.t, view.a)]`))
	x += 300
	b.run(chromedp.MouseEvent(chromedp.MousePressed, x, y, chromedp.ButtonLeft), chromedp.MouseEvent(chromedp.MouseMoved, x+100, y, chromedp.ButtonLeft), chromedp.MouseEvent(chromedp.MouseReleased, x+100, y, chromedp.ButtonLeft))
	b.until(still)
	if to := eval[float64](b, `view.a`); to >= from {
		b.Errorf("dragging to the right: the view begins at %v, before at %v", to, from)
	}
	before := span()
	b.run(script(`$('c-ops').dispatchEvent(new WheelEvent('wheel', {deltaY: -50, ctrlKey: true, clientX: 600, bubbles: true, cancelable: true}))`))
	b.until(still)
	if span() >= before {
		b.Error("the wheel does not zoom")
	}
	b.shot("zoomed")
	b.run(chromedp.KeyEvent("0"))
	b.until(fmt.Sprintf(`view.b - view.a === %v && %s`, whole, still))
}

func testPin(b *tab) {
	b.run(chromedp.Click(`#verdict [data-show]`))
	b.until(`pinned >= 0 && view.b - view.a < R.dur / 4 && ` + still)
	call := eval[int](b, `R.anomalies[0].calls[0]`)
	x, y := b.at(call)
	b.run(chromedp.MouseClickXY(x, y))
	b.until(fmt.Sprintf(`pinned === %d && %s`, call, still))
	if got := eval[string](b, `$('pinned').textContent`); got == "" || !strings.Contains(eval[string](b, `$('detail').textContent`), "it happened") {
		b.Errorf("the pinned operation reads %q", got)
	}
	b.shot("pinned")
	b.run(chromedp.KeyEvent("n"))
	b.until(fmt.Sprintf(`pinned !== %d && R.lane[pinned] === R.lane[%d] && R.inv[pinned] > R.inv[%d]`, call, call, call))
	b.run(chromedp.KeyEvent("p"))
	b.until(fmt.Sprintf(`pinned === %d`, call))
	b.run(chromedp.KeyEvent("a"))
	b.until(fmt.Sprintf(`R.flag[pinned] === 1 && pinned !== %d`, call))
	b.until(`location.hash.includes('op=' + R.op[pinned])`)
	b.run(script(`pin(-1); glide(0, R.dur)`))
}

func testFilter(b *tab) {
	all := eval[int](b, `F.total`)
	b.run(chromedp.Click(`[data-chip="type-ok"]`))
	b.until(`F.total === R.counts[1] + R.counts[2] && ` + still)
	b.run(chromedp.Click(`[data-chip="type-ok"]`), chromedp.Click(`[data-chip="f-read"]`))
	b.until(fmt.Sprintf(`F.total < %d && F.total > 0 && %s`, all, still))
	b.run(chromedp.Click(`[data-chip="f-read"]`), chromedp.SetValue(`select[aria-label="Key"]`, "1"), script(`document.querySelector('select[aria-label="Key"]').onchange()`))
	b.until(`F.total > 0 && [...F.ops].every(i => keysOf(i)[0] === 1)`)
	b.run(script(`resetFilter()`), chromedp.SetValue(`#f-proc`, "3"), script(`$('f-proc').onchange()`))
	b.until(`F.total > 0 && [...F.ops].every(i => R.proc[i] === 3)`)
	b.shot("filtered")
	b.run(script(`resetFilter()`))
	b.until(fmt.Sprintf(`F.total === %d && %s`, all, still))
}

func testPage(b *tab) {
	light := eval[string](b, `getComputedStyle(document.body).backgroundColor`)
	b.run(chromedp.Click(`#theme`))
	b.until(fmt.Sprintf(`document.documentElement.dataset.theme === 'dark' && getComputedStyle(document.body).backgroundColor !== %q && %s`, light, still))
	b.shot("dark")
	b.run(chromedp.KeyEvent("t"))
	b.until(`document.documentElement.dataset.theme === 'light'`)
	b.run(chromedp.KeyEvent("?"))
	b.until(`$('keys').open`)
	b.run(chromedp.Click(`#keys button`))
	b.until(`!$('keys').open`)
	b.run(chromedp.Click(`.cmd div:first-child [data-copy]`))
	b.until(`document.querySelector('[data-copy]').textContent === 'Copied'`)
	b.run(chromedp.Click(`[data-fault="1"]`))
	b.until(`view.a < R.faults[1].from && view.b > R.faults[1].to && view.b - view.a < R.dur / 4`)
	b.run(chromedp.Click(`.proof tr:first-child a`))
	b.until(`pinned === R.anomalies[0].calls[0]`)
	b.run(script(`$('list').open = true`))
	b.until(`$('listbody').querySelectorAll('tbody tr').length > 0`)
	b.run(script(`paper(true)`))
	b.until(`WIDTH <= 703 && ` + still)
	b.run(script(`paper(false)`))
	b.until(`WIDTH > 703`)
}

func testLink(t *testing.T, ctx context.Context, url string) {
	b := open(t, ctx, url+"#op=1001", ready)
	defer b.close()
	b.until(`pinned >= 0 && (R.op[pinned] === 1001 || R.done[pinned] === 1001)`)
	if !eval[bool](b, `view.b - view.a < R.dur / 2 && view.a <= R.inv[pinned] && view.b >= R.inv[pinned]`) {
		t.Error("the view does not show the operation that the link names")
	}
	// The page's own note of where it is may come between the new address and
	// the event that tells of it.
	b.run(script(`location.hash = '#op=2000'; remember()`))
	b.until(`R.op[pinned] === 2000 || R.done[pinned] === 2000`)
}

func testLarge(t *testing.T, ctx context.Context) {
	h := busyHistory(40_000, 100*time.Second)
	b := open(t, ctx, save(t, "large.html", busyInvalid(h), h), ready)
	defer b.close()
	b.shot("large")
	took := eval[float64](b, `(() => { const t = performance.now(); for (let i = 0; i < 5; i++) { view.a = i; view.b = R.dur - i; draw(); } return (performance.now() - t) / 5; })()`)
	t.Logf("%d calls, of which a picture takes %.1f ms", eval[int](b, `R.n`), took)
	b.run(chromedp.KeyEvent("a"))
	b.until(`pinned >= 0`)
	exact := eval[[]*float64](b, `show(0, R.dur); draw(); quant.rows.map(q => q[0])`)
	b.run(script(`BIG = 1000; build(); draw()`))
	rough := eval[[]*float64](b, `quant.rows.map(q => q[0])`)
	if !eval[bool](b, `F.pyramid !== null`) || len(rough) != len(exact) {
		t.Fatal("no pyramid was built")
	}
	for i := range exact {
		if exact[i] != nil && rough[i] != nil && math.Abs(*exact[i]-*rough[i]) > 12 {
			t.Errorf("column %d: the median's row is %v, and %v from the pyramid", i, *exact[i], *rough[i])
		}
	}
}

// testMillion opens a run of a million operations and moves about in it.
func testMillion(t *testing.T, ctx context.Context) {
	h := busyHistory(1_150_000, 1000*time.Second) // some calls fall behind the end
	url := save(t, "million.html", busyInvalid(h), h)
	if info, err := os.Stat(strings.TrimPrefix(url, "file://")); err != nil || info.Size() > 15_000_000 {
		t.Errorf("the page: %v, %d bytes, want at most 15 MB", err, info.Size())
	}
	b := open(t, ctx, url, ready)
	defer b.close()
	if n := eval[int](b, `R.n`); n < 1_000_000 {
		t.Fatalf("%d calls", n)
	}
	b.until(still)
	b.shot("million")
	for _, stretch := range []string{"0, R.dur", "R.dur * .2, R.dur * .6", "R.dur * .4, R.dur * .41", "R.dur * .4, R.dur * .4001"} {
		took := eval[float64](b, fmt.Sprintf(`(() => { show(%s); const t = performance.now(); for (let i = 0; i < 3; i++) { view.a += R.dur * 1e-6; view.b += R.dur * 1e-6; draw(); } return (performance.now() - t) / 3; })()`, stretch))
		t.Logf("%s: a picture takes %.1f ms", stretch, took)
	}
	b.run(script(`show(0, R.dur)`), chromedp.Click(`[data-chip="type-ok"]`))
	b.until(`F.total === R.counts[1] + R.counts[2] && ` + still)
	b.run(script(`resetFilter(); toggleTheme()`))
	b.until(`F.total === R.n && document.documentElement.dataset.theme === 'dark' && ` + still)
	b.run(chromedp.KeyEvent("a"))
	b.until(`pinned === R.marks[0] && ` + still)
	b.shot("million-anomaly")
	b.run(script(`location.hash = '#op=1000000'`))
	b.until(`pinned >= 0 && (R.op[pinned] === 1000000 || R.done[pinned] === 1000000)`)
}

func testList(t *testing.T, ctx context.Context) {
	root, _ := shelfOfRuns(t)
	server := httptest.NewServer(Handler(root, nil))
	defer server.Close()
	b := open(t, ctx, server.URL+"/", `document.documentElement.classList.contains('js')`)
	defer b.close()
	shown := `[...document.querySelectorAll('#runs tr')].filter(r => !r.hidden).length`
	b.shot("list")
	b.until(shown + ` === 3`)
	b.run(chromedp.SendKeys(`#search`, "redis"))
	b.until(shown + ` === 1`)
	b.run(script(`box('search').value = ''; box('search').oninput()`), chromedp.Click(`[data-verdict=unknown]`))
	b.until(shown + ` === 1`)
	choose := func(fault string) chromedp.Action[chromedp.Void] {
		return script(fmt.Sprintf(`(p => { p.value = %q; p.onchange(); })(document.querySelector('[data-pick=fault]'))`, fault))
	}
	b.run(chromedp.Click(`#filters [data-verdict=unknown]`), choose("clock"))
	b.until(shown + ` === 1 && document.querySelector('#runs tr:not([hidden])').dataset.fault.includes('|clock|')`)
	b.run(choose(""), chromedp.Click(`th[data-sort=seed] button`))
	b.until(shown + ` === 3 && [...document.querySelectorAll('#runs tr')].every((r, i, all) => !i || +all[i - 1].dataset.seed <= +r.dataset.seed)`)
	b.run(script(`document.querySelectorAll('#runs input').forEach(c => { if (/register/.test(c.value)) c.click(); })`))
	b.until(`box('compare').href.includes('/compare?a=')`)
	if eval[bool](b, `window.owned !== undefined`) {
		t.Error("markup of a run came alive")
	}
	to := eval[string](b, `box('compare').href`)
	for _, page := range []string{to, server.URL + "/trend?name=refstore%2Fregister", server.URL + "/api"} {
		p := open(t, ctx, page, `document.documentElement.classList.contains('js')`)
		if !eval[bool](p, `document.querySelector('section h2') !== null && window.owned === undefined && document.querySelector('main img') === null`) {
			t.Errorf("%s is not what it should be", page)
		}
		p.shot("page-" + safeName(page[len(server.URL):min(len(page), len(server.URL)+8)]))
		p.close()
	}
}

func testFollow(t *testing.T, ctx context.Context) {
	root, at, d := liveRun(t)
	must(t, d.Record(storyHistory()[:4]))
	server := httptest.NewServer(Handler(root, findAlways(t)))
	defer server.Close()
	b := open(t, ctx, server.URL+"/live?path="+at, `document.documentElement.classList.contains('js')`, "/api/live")
	defer b.close()
	b.until(`box('l-state').textContent === 'in progress' && box('l-faults').textContent.includes('n1 cut off from n2 and n3')`)
	must(t, d.Record(storyHistory()[4:]))
	b.until(`box('l-ops').textContent.startsWith('7:') && box('l-found').textContent.includes('nonlinearizable')`)
	b.shot("live")
	run := storyRun()
	run.Verdict = fallacy.Invalid
	must(t, d.SaveRun(run))
	must(t, d.Finish())
	b.until(`box('l-state').textContent.startsWith('over, and invalid')`)
}
