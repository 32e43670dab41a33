package suite

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestShare(t *testing.T) {
	for _, c := range []struct {
		n, of   int
		low, hi float64
	}{{0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {5, 20, 0.1119, 0.4687}, {0, 0, 0, 1}} {
		s := NewShare(c.n, c.of)
		if math.Abs(s.Low-c.low) > 1e-4 || math.Abs(s.Hi-c.hi) > 1e-4 {
			t.Errorf("%d of %d: got %v to %v, want %v to %v", c.n, c.of, s.Low, s.Hi, c.low, c.hi)
		}
	}
	// The lady tasting tea, and tables from R's fisher.test.
	for _, c := range []struct {
		a, b Share
		want float64
	}{
		{NewShare(3, 4), NewShare(1, 4), 0.4857}, {NewShare(0, 20), NewShare(5, 20), 0.047124},
		{NewShare(1, 10), NewShare(1, 10), 1}, {NewShare(10, 10), NewShare(0, 10), 1.083e-5},
	} {
		if got := differ(c.a, c.b); math.Abs(got-c.want) > 1e-4*math.Max(c.want, 0.1) {
			t.Errorf("%v and %v: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	group := func(name string, n, of int) Group { return Group{Group: name, Invalid: NewShare(n, of)} }
	before := Summary{Groups: []Group{group("same", 2, 20), group("new", 0, 20), group("gone", 3, 20), group("rarer", 18, 20), group("more", 2, 20), group("old", 1, 1)}}
	now := Summary{Groups: []Group{group("same", 3, 20), group("new", 1, 20), group("gone", 0, 20), group("rarer", 6, 20), group("more", 15, 20), group("fresh", 1, 1)}}
	now.Compare(before, "last week")
	var got []string
	for _, c := range now.Changes {
		got = append(got, c.Group+" "+c.Kind)
	}
	if want := "new new, gone gone, rarer rarer, more more often"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// What a target wrote must not break the formats that carry it.
func TestHostileOutcomes(t *testing.T) {
	s := &script{says: map[string][]string{"a": {"<script>|`@all`"}, "b": {"unknown"}, "c": {"trouble", "trouble"}}}
	summary, err := runIn(t, filepath.Join(t.TempDir(), "out"), four, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for name, write := range map[string]func(io.Writer) error{
		"page": summary.WritePage, "markdown": summary.WriteMarkdown, "junit": summary.WriteJUnit,
		"github": func(w io.Writer) error { return summary.WriteGitHub(w, "s.yaml") }, "gitlab": func(w io.Writer) error { return summary.WriteGitLab(w, "s.yaml") },
	} {
		b.Reset()
		if err := write(&b); err != nil {
			t.Fatal(name, err)
		}
		text := b.String()
		switch name {
		case "page", "markdown":
			if strings.Contains(text, "<script>") || strings.Contains(text, "<b>") {
				t.Errorf("%s has markup of a run: %s", name, text)
			}
		case "junit":
			dec := xml.NewDecoder(&b)
			for err == nil {
				_, err = dec.Token()
			}
			if err != io.EOF || !strings.Contains(text, `failures="2"`) || !strings.Contains(text, `errors="2"`) {
				t.Errorf("junit: %v: %s", err, text)
			}
			err = nil
		case "github":
			if n := strings.Count(text, "\n"); n != 4 {
				t.Errorf("github: %d lines, want 4: %s", n, text)
			}
		}
	}
}

func TestMergeAndBucket(t *testing.T) {
	f := parse(t, four)
	all := casesOf(t, f)
	base := t.TempDir()
	bucket := "file://" + filepath.ToSlash(filepath.Join(base, "bucket")) + "?create_dir=true"
	for i := range 2 {
		shard := Shard{i + 1, 2}
		cases := shard.Take(all, nil)
		d, err := Create(filepath.Join(base, fmt.Sprint("shard", i)), HeadOf(f, []byte(four), shard, len(cases), nil))
		if err != nil {
			t.Fatal(err)
		}
		s := &script{says: map[string][]string{"c": {"lost"}, "d": {"lost"}}}
		r := &Runner{Do: s.do, Say: func(string) {}, Slots: 2, Note: func(o Outcome) error {
			o.Dir = filepath.Join(d.Runs(), o.Group())
			return d.Note(o)
		}}
		if err := r.Run(t.Context(), cases); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Upload(t.Context(), bucket); err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
	paths, err := Download(t.Context(), bucket, "four/", filepath.Join(base, "all"))
	if err != nil || len(paths) != 2 {
		t.Fatalf("downloaded %v, %v", paths, err)
	}
	var dirs []*Dir
	for _, p := range paths {
		d, err := Open(p)
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, d)
	}
	head, outcomes, err := Merge(filepath.Join(base, "all"), dirs)
	if err != nil {
		t.Fatal(err)
	}
	if s := Summarize(head, outcomes, nil); s.Worst() != AsExpected || s.Planned != 4 || len(s.Outcomes) != 4 {
		t.Errorf("merged: %s", s.Sentence())
	}
	if dir := outcomes[0].Dir; !strings.HasPrefix(filepath.ToSlash(dir), "four/") {
		t.Errorf("a merged run is at %s", dir)
	}
	if _, _, err := Merge(base, dirs[:1]); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("one of two shards: %v", err)
	}
	if _, _, err := Merge(base, []*Dir{dirs[0], dirs[0]}); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("one shard twice: %v", err)
	}
}

func TestKubernetes(t *testing.T) {
	f := parse(t, four)
	var b bytes.Buffer
	if err := f.WriteKubernetes(&b, []byte(four), Job{Shards: 3, Image: "i", Claim: "c", CPU: "2", Memory: "4Gi"}); err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(&b)
	var config struct {
		Kind string
		Data map[string]string
	}
	var job struct {
		Kind string
		Spec struct {
			CompletionMode           string `yaml:"completionMode"`
			Completions, Parallelism int
			Template                 struct {
				Spec struct {
					RestartPolicy string `yaml:"restartPolicy"`
					Containers    []struct{ Args []string }
				}
			}
		}
	}
	if err := errors.Join(dec.Decode(&config), dec.Decode(&job)); err != nil {
		t.Fatal(err)
	}
	if config.Data["suite.yaml"] != four {
		t.Errorf("the pods' file is %q", config.Data["suite.yaml"])
	}
	args := strings.Join(job.Spec.Template.Spec.Containers[0].Args, " ")
	if job.Spec.CompletionMode != "Indexed" || job.Spec.Completions != 3 || job.Spec.Template.Spec.RestartPolicy != "Never" || !strings.Contains(args, "--shard auto/3") {
		t.Errorf("the job is %+v", job)
	}
	if err := f.WriteKubernetes(io.Discard, nil, Job{Shards: 3, Image: "i"}); err == nil {
		t.Error("a job that leaves its outcomes nowhere was written")
	}
}
