package results

import (
	"bufio"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// What is written of SARIF 2.1.0, the form in which code hosts take findings.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Properties  map[string]any    `json:"properties,omitempty"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string     `json:"id"`
		Short sarifText  `json:"shortDescription"`
		Full  *sarifText `json:"fullDescription,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful bool   `json:"executionSuccessful"`
		Command    string `json:"commandLine,omitempty"`
		Start      string `json:"startTimeUtc,omitempty"`
		End        string `json:"endTimeUtc,omitempty"`
	}
	sarifResult struct {
		Rule       string            `json:"ruleId"`
		Level      string            `json:"level"`
		Kind       string            `json:"kind"`
		Message    sarifText         `json:"message"`
		Locations  []sarifLocation   `json:"locations,omitempty"`
		Related    []sarifLocation   `json:"relatedLocations,omitempty"`
		Prints     map[string]string `json:"partialFingerprints,omitempty"`
		Properties map[string]any    `json:"properties,omitempty"`
	}
	sarifLocation struct {
		ID       int           `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// writeSARIF writes the findings as SARIF 2.1.0. An anomaly is an error at the
// lines of history.jsonl that prove it; what could not be told is open, a
// warning, so that it is not taken for a pass.
func writeSARIF(w *bufio.Writer, run Run, _ fallacy.History) error {
	s := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "fallacy", Version: run.Version, Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{Successful: run.Verdict != fallacy.Unknown, Command: quoted(run.Command)}},
		Results:     []sarifResult{},
		Properties:  map[string]any{"verdict": run.Verdict.String(), "target": run.Target, "workload": run.Workload, "seed": fmtUint(run.Seed)},
	}
	if !run.Started.IsZero() {
		s.Invocations[0].Start = run.Started.UTC().Format(time.RFC3339)
		s.Invocations[0].End = run.Started.Add(run.Took).UTC().Format(time.RFC3339)
	}
	for _, f := range run.Findings {
		for i, a := range varied(f.Anomalies) {
			if i == exportedMax {
				break
			}
			s.anomaly(run, f, a)
		}
		if f.Verdict == fallacy.Unknown {
			s.open(run, f.Checker, f.Title, f.Reason)
		}
	}
	if len(s.Results) == 0 && run.Verdict != fallacy.Valid {
		s.open(run, "run", "the run came to no verdict", run.Reason)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{sarifSchema, "2.1.0", []sarifRun{s}})
}

// linesMax bounds the lines that one result names.
const linesMax = 20

func (s *sarifRun) anomaly(run Run, f Finding, a fallacy.Anomaly) {
	t, _ := termOf(a.Name)
	s.rule(a.Name, orElse(meaningOf(f.Checker, a), f.Title), t.definition)
	r := sarifResult{
		Rule: a.Name, Level: "error", Kind: "fail", Message: sarifText{sentence(a.Why)},
		Prints:     map[string]string{"anomaly/v1": run.Name + "/" + f.Checker + "/" + a.Name},
		Properties: map[string]any{"checker": f.Checker, "ops": a.Ops},
	}
	lines := slices.Compact(slices.Sorted(slices.Values(a.Ops)))
	for i, op := range lines[:min(len(lines), linesMax)] {
		at := sarifLocation{Physical: sarifPhysical{sarifArtifact{historyFile}, &sarifRegion{max(op, 0) + 1}}}
		if i == 0 {
			r.Locations = append(r.Locations, at)
			continue
		}
		at.ID = i
		r.Related = append(r.Related, at)
	}
	if len(r.Locations) == 0 {
		r.Locations = []sarifLocation{{Physical: sarifPhysical{Artifact: sarifArtifact{runFile}}}}
	}
	s.Results = append(s.Results, r)
}

func (s *sarifRun) open(run Run, checker, title, reason string) {
	id := "unknown/" + checker
	s.rule(id, orElse(title, checker), "")
	s.Results = append(s.Results, sarifResult{
		Rule: id, Level: "warning", Kind: "open", Message: sarifText{fmt.Sprintf("%s cannot tell: %s", checker, orElse(reason, "no reason was given"))},
		Locations: []sarifLocation{{Physical: sarifPhysical{Artifact: sarifArtifact{runFile}}}},
		Prints:    map[string]string{"anomaly/v1": run.Name + "/" + id},
	})
}

func (s *sarifRun) rule(id, short, full string) {
	rules := &s.Tool.Driver.Rules
	if slices.ContainsFunc(*rules, func(r sarifRule) bool { return r.ID == id }) {
		return
	}
	r := sarifRule{ID: id, Short: sarifText{sentence(short)}}
	if full != "" {
		r.Full = &sarifText{full}
	}
	*rules = append(*rules, r)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
