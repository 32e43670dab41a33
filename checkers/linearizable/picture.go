package linearizable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/fallacy-dev/fallacy"
)

// Bounds of a picture: beyond them nobody sees anything, and Porcupine takes for ever.
const (
	mostDrawn   = 60
	drawingTime = 5 * time.Second
)

// Picture draws Porcupine's picture of a violation that a checker of this package
// reported: an HTML page, whole in itself, with the calls of the anomaly and those
// that ran at the same time, and how far they can be put in order. The model is
// what the history was held against: [CASRegister] for [Register].
//
// Of the calls around, those are left out that observed what no call in the
// picture wrote; else the window's edge would look like a violation of its own.
func Picture(ctx context.Context, m Model, h fallacy.History, a fallacy.Anomaly) ([]byte, error) {
	objects, err := m.objects(h)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		places := o.placesOf(a)
		if len(places) == 0 {
			continue
		}
		return o.draw(ctx, o.scene(places))
	}
	return nil, errors.New("the anomaly names no op of the history that the model knows")
}

// placesOf returns the places of the calls that an anomaly names.
func (o *object) placesOf(a fallacy.Anomaly) []int {
	var places []int
	for i, c := range o.calls {
		if slices.Contains(a.Ops, c.Invoke.Index) {
			places = append(places, i)
		}
	}
	return places
}

// scene returns the calls named and those around them, as far as they are fit to
// be shown, in order.
func (o *object) scene(named []int) []int {
	scene := slices.Clone(named)
	written := map[string]bool{o.model.Init.String(): true}
	for _, i := range named {
		for _, v := range o.puts(i) {
			written[v] = true
		}
	}
	for i := range o.calls {
		if len(scene) >= mostDrawn {
			break
		}
		c := o.interval(i)
		near := slices.ContainsFunc(named, func(n int) bool {
			at := o.interval(n)
			return i != n && c.begin < at.end && c.end > at.begin
		})
		a := o.actions[i]
		if !near || slices.Contains(named, i) || o.looks(a) && !written[a.Out.String()] || !a.Known() || len(o.puts(i)) > 1 {
			continue
		}
		scene = append(scene, i)
		for _, v := range o.puts(i) {
			written[v] = true
		}
	}
	slices.Sort(scene)
	return scene
}

// puts returns what a call may put into the object, as text.
func (o *object) puts(i int) []string {
	a := o.actions[i]
	if o.looks(a) {
		return nil
	}
	texts := []string{a.In.String()}
	if _, to, ok := a.In.Tuple(); ok {
		texts = append(texts, to.String())
	}
	return texts
}

// draw has Porcupine judge and draw the calls at the places.
func (o *object) draw(ctx context.Context, scene []int) ([]byte, error) {
	all := o.operations()
	var operations []porcupine.Operation
	end := int64(0)
	for _, i := range scene {
		operations = append(operations, all[i])
		end = max(end, all[i].Call)
		if all[i].Return != never {
			end = max(end, all[i].Return)
		}
	}
	for i := range operations {
		operations[i].Return = min(operations[i].Return, end+1)
	}
	model := o.model.porcupine()
	step := model.Step
	model.Step, model.StepContext = nil, func(_ context.Context, state, input, output any) (bool, any) {
		if ctx.Err() != nil {
			return false, state
		}
		return step(state, input, output)
	}
	_, info := porcupine.CheckOperationsVerbose(model, operations, drawingTime)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := porcupine.Visualize(model, info, &page); err != nil {
		return nil, fmt.Errorf("draw %d calls: %w", len(operations), err)
	}
	return page.Bytes(), nil
}
