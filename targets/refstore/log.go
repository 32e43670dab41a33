package refstore

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// logger writes plain lines with the time to w, and is what raft wants to log to.
type logger struct {
	mu    sync.Mutex
	w     io.Writer
	level int // lines below are dropped: 0 debug, 1 info, 2 warning, 3 error
}

var levels = []string{"debug", "info", "warning", "error"}

func (l *logger) line(level int, text string) {
	if level < l.level {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// Nobody can be told that the log cannot be written.
	_, _ = fmt.Fprintf(l.w, "%s %s %s\n", time.Now().UTC().Format("15:04:05.000000"), levels[level], text)
}

func (l *logger) Debug(v ...any)                   { l.line(0, fmt.Sprint(v...)) }
func (l *logger) Debugf(format string, v ...any)   { l.line(0, fmt.Sprintf(format, v...)) }
func (l *logger) Info(v ...any)                    { l.line(1, fmt.Sprint(v...)) }
func (l *logger) Infof(format string, v ...any)    { l.line(1, fmt.Sprintf(format, v...)) }
func (l *logger) Warning(v ...any)                 { l.line(2, fmt.Sprint(v...)) }
func (l *logger) Warningf(format string, v ...any) { l.line(2, fmt.Sprintf(format, v...)) }
func (l *logger) Error(v ...any)                   { l.line(3, fmt.Sprint(v...)) }
func (l *logger) Errorf(format string, v ...any)   { l.line(3, fmt.Sprintf(format, v...)) }
func (l *logger) Fatal(v ...any)                   { panic(fmt.Sprint(v...)) }
func (l *logger) Fatalf(format string, v ...any)   { panic(fmt.Sprintf(format, v...)) }
func (l *logger) Panic(v ...any)                   { panic(fmt.Sprint(v...)) }
func (l *logger) Panicf(format string, v ...any)   { panic(fmt.Sprintf(format, v...)) }

// silent drops everything that raft logs, except that raft's panics stay panics.
type silent struct{}

func (silent) Debug(...any)                   {}
func (silent) Debugf(string, ...any)          {}
func (silent) Info(...any)                    {}
func (silent) Infof(string, ...any)           {}
func (silent) Warning(...any)                 {}
func (silent) Warningf(string, ...any)        {}
func (silent) Error(...any)                   {}
func (silent) Errorf(string, ...any)          {}
func (silent) Fatal(v ...any)                 { panic(fmt.Sprint(v...)) }
func (silent) Fatalf(format string, v ...any) { panic(fmt.Sprintf(format, v...)) }
func (silent) Panic(v ...any)                 { panic(fmt.Sprint(v...)) }
func (silent) Panicf(format string, v ...any) { panic(fmt.Sprintf(format, v...)) }
