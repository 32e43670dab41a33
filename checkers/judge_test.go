package checkers_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
)

func says(name string, check func(context.Context, fallacy.History) (fallacy.Finding, error)) *fallacy.Checker {
	return &fallacy.Checker{Name: name, Doc: name + " says so\n\nText.", Check: check}
}

func TestJudgeAsksEveryone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := []*fallacy.Checker{
			says("valid", func(context.Context, fallacy.History) (fallacy.Finding, error) {
				return fallacy.Finding{Verdict: fallacy.Valid, Examined: 1}, nil
			}),
			says("panics", func(context.Context, fallacy.History) (fallacy.Finding, error) { panic("at the disco") }),
			says("fails", func(context.Context, fallacy.History) (fallacy.Finding, error) {
				return fallacy.Finding{Verdict: fallacy.Valid, Examined: 1}, errors.New("no idea")
			}),
			says("vacuous", func(context.Context, fallacy.History) (fallacy.Finding, error) {
				return fallacy.Finding{Verdict: fallacy.Valid}, nil
			}),
			says("slow", func(ctx context.Context, _ fallacy.History) (fallacy.Finding, error) {
				<-ctx.Done()
				return fallacy.Finding{}, ctx.Err()
			}),
			says("deaf", func(context.Context, fallacy.History) (fallacy.Finding, error) {
				time.Sleep(time.Hour)
				return fallacy.Finding{Verdict: fallacy.Valid, Examined: 1}, nil
			}),
			nil,
			says("invalid", func(context.Context, fallacy.History) (fallacy.Finding, error) {
				return fallacy.Finding{Verdict: fallacy.Invalid, Examined: 1}, nil
			}),
		}
		want := []struct {
			verdict fallacy.Verdict
			reason  string
		}{
			{fallacy.Valid, ""},
			{fallacy.Unknown, "panic: at the disco"},
			{fallacy.Unknown, "no idea"},
			{fallacy.Unknown, "nothing examined"},
			{fallacy.Unknown, "gave up after 1m0s"},
			{fallacy.Unknown, "gave up after 1m0s"},
			{fallacy.Unknown, "there is no checker"},
			{fallacy.Invalid, ""},
		}
		got := checkers.Judge(t.Context(), nil, all, checkers.Options{Time: time.Minute})
		for i, w := range want {
			f := got[i].Finding
			if f.Verdict != w.verdict || !strings.HasPrefix(f.Reason, w.reason) {
				t.Errorf("%s: got %v %q, want %v %q", got[i].Checker, f.Verdict, f.Reason, w.verdict, w.reason)
			}
		}
		if !strings.Contains(got[1].Finding.Reason, "judge_test.go") {
			t.Errorf("the panic's reason does not name its place: %s", got[1].Finding.Reason)
		}
		if got[0].Title != "valid says so" {
			t.Errorf("title is %q", got[0].Title)
		}
		if v := checkers.Overall(got); v != fallacy.Invalid {
			t.Errorf("overall got %v, want invalid", v)
		}
		time.Sleep(time.Hour) // the deaf one ends
	})
}

func TestNobodyJudgingIsUnknown(t *testing.T) {
	if v := checkers.Overall(nil); v != fallacy.Unknown {
		t.Errorf("got %v, want unknown", v)
	}
}

func TestJudgeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := says("waits", func(ctx context.Context, _ fallacy.History) (fallacy.Finding, error) {
		return fallacy.Finding{}, ctx.Err()
	})
	if f := checkers.Judge(ctx, nil, []*fallacy.Checker{c}, checkers.Options{})[0].Finding; f.Verdict != fallacy.Unknown {
		t.Errorf("got %v, want unknown", f.Verdict)
	}
}
