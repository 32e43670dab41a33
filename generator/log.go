package generator

import "github.com/fallacy-dev/fallacy"

// Log is a note for people, once: an op of type Info, F "log", with the message
// as its value. It needs nobody to be free.
func Log(message string) fallacy.Generator { return &note{message} }

type note struct{ message string }

func (l *note) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	return &fallacy.Op{
		Time:    now.Time,
		Process: fallacy.NemesisProcess,
		Type:    fallacy.Info,
		F:       "log",
		Value:   fallacy.String(l.message),
	}, nil
}

func (l *note) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return l }
func (l *note) deaf() bool                                          { return true }
