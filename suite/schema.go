package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// schemaID is how the schema is known to editors.
const schemaID = "https://github.com/fallacy-dev/fallacy/blob/main/docs/suite.schema.json"

type object = map[string]any

// Schema returns the JSON Schema of suite files, given the names of the flags
// that a test can be told.
func Schema(flags []string) []byte {
	scalar := object{"type": []string{"string", "number", "boolean"}}
	oneOrMore := object{"anyOf": []any{scalar, object{"type": "array", "items": scalar, "minItems": 1}}}
	duration := object{"type": "string", "pattern": `^([0-9.]+(ns|us|µs|ms|s|m|h))+$`}
	parameters, axes := object{}, object{}
	for _, name := range append(own(), flags...) {
		if inMatrix(name) {
			parameters[name] = object{"$ref": "#/$defs/value"}
			axes[name] = object{"type": "array", "items": object{"$ref": "#/$defs/value"}, "minItems": 1}
		}
	}
	verdict := object{"enum": []string{"valid", "invalid", "unknown"}}
	parameters["expect"] = described(verdict, "what the run has to come to; valid if nothing is said")
	axes["expect"] = object{"type": "array", "items": verdict, "minItems": 1}
	parameters["anomalies"] = described(object{"$ref": "#/$defs/value"}, "of these at least one must be found, where invalid is expected")
	parameters["slots"] = described(object{"type": "integer", "minimum": 1}, "how many of the suite's slots the test takes; 1 if nothing is said")
	entry := object{}
	for k, v := range parameters {
		entry[k] = v
	}
	sets := object{"type": "array", "items": object{"type": "object", "properties": parameters, "additionalProperties": false, "minProperties": 1}}
	entry["name"] = object{"type": "string", "minLength": 1}
	entry["matrix"] = described(object{"type": "object", "properties": axes, "additionalProperties": false, "minProperties": 1}, "a test for each combination of these values")
	entry["include"] = described(sets, "further tests, beside the combinations")
	entry["exclude"] = described(sets, "combinations to leave out: all that agree with one of these")
	schema := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schemaID,
		"title": "A suite of fallacy's tests", "type": "object", "required": []string{"name", "tests"}, "additionalProperties": false,
		"$defs": object{"value": oneOrMore},
		"properties": object{
			"name":     object{"type": "string", "pattern": `^[A-Za-z0-9][A-Za-z0-9._-]*$`},
			"parallel": described(object{"type": "integer", "minimum": 1}, "slots: how many tests run at a time, if each takes one"),
			"budget":   described(duration, "after which no test is started"),
			"repeat":   described(object{"type": "integer", "minimum": 1}, "how often each test is run, with another seed each time"),
			"retries":  described(object{"type": "integer", "minimum": 0}, "how often a test is tried again that could not be set up"),
			"seed":     described(object{"type": "integer", "minimum": 1}, "from which tests without a seed draw theirs"),
			"defaults": described(object{"type": "object", "properties": parameters, "additionalProperties": false}, "what holds of every test that does not say otherwise"),
			"tests":    object{"type": "array", "minItems": 1, "items": object{"type": "object", "properties": entry, "additionalProperties": false}},
		},
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // maps of strings
	}
	return append(text, '\n')
}

func described(schema object, text string) object {
	with := object{"description": text}
	for k, v := range schema {
		with[k] = v
	}
	return with
}

// conforms holds a file, as JSON, against the schema.
func (f *File) conforms(text []byte, flags []string) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema(flags)))
	if err != nil {
		return fmt.Errorf("the schema of suites: %w", err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaID, schema); err != nil {
		return fmt.Errorf("the schema of suites: %w", err)
	}
	compiled, err := c.Compile(schemaID)
	if err != nil {
		return fmt.Errorf("the schema of suites: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	var bad *jsonschema.ValidationError
	if err := compiled.Validate(doc); errors.As(err, &bad) {
		return f.nonconforming(bad)
	}
	return nil
}

// nonconforming is the first of the deepest complaints, with its place.
func (f *File) nonconforming(bad *jsonschema.ValidationError) error {
	for len(bad.Causes) > 0 {
		bad = bad.Causes[0]
	}
	at := "$"
	for _, step := range bad.InstanceLocation {
		if strings.Trim(step, "0123456789") == "" {
			at += "[" + step + "]"
		} else {
			at += ".'" + step + "'"
		}
	}
	text := bad.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	if name, ok := strings.CutPrefix(text, "additional properties "); ok {
		name, _, _ = strings.Cut(strings.TrimPrefix(name, "'"), "'")
		text = fmt.Sprintf("there is no key %q here: fallacy suite --schema shows what there is", name)
		at += ".'" + name + "'"
	}
	if n := len(bad.InstanceLocation); n > 0 && strings.Trim(bad.InstanceLocation[n-1], "0123456789") != "" {
		text = bad.InstanceLocation[n-1] + ": " + text
	}
	return f.errorAt(at, "%s", text)
}

// Flags are the names of the flags of a run that a suite's tests can be told:
// all but those that are the suite's own business.
func Flags(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		return slices.Contains([]string{"json", "runs", "help"}, name)
	})
}
