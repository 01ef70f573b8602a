// The log lines of this package, on standard error or in a file. Nothing else here
// writes to either.

package hitrt

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A level is how much a line matters. The names are those of log/slog, which would make
// programs larger that do not use it.
type level int

const (
	levelDebug level = iota
	levelInfo
	levelWarn
	levelError
)

func (l level) String() string { return [...]string{"DEBUG", "INFO", "WARN", "ERROR"}[l] }

// levelOf returns the level of a name; the default is that of warnings.
func levelOf(name string) level {
	for l := levelDebug; l <= levelError; l++ {
		if strings.EqualFold(l.String(), name) {
			return l
		}
	}
	return levelWarn
}

// A logger writes single lines whose message begins with "scavenger: ". It
// belongs to the publisher's goroutine.
type logger struct {
	out   io.Writer
	least level                // of a line that is written
	key   string               // the api key, which must not appear in any line
	last  map[string]time.Time // when a line of a kind was last written
}

// newLogger returns a logger that writes to out, or to logFile if that is set. The
// program's own default logger is left alone.
func newLogger(out io.Writer, set *settings) *logger {
	l := &logger{out: out, least: set.logLevel, key: set.apiKey, last: map[string]time.Time{}}
	if set.logFile != "" {
		otherwise := *l
		l.out = &logFile{path: set.logFile, otherwise: &otherwise}
	}
	return l
}

// WarnHourly logs at level warn, once an hour per kind: a collector that is down for
// a week must not fill anybody's log.
func (l *logger) WarnHourly(kind, format string, args ...any) {
	l.hourly(levelWarn, kind, format, args...)
}

// InfoHourly logs at level info, once an hour per kind.
func (l *logger) InfoHourly(kind, format string, args ...any) {
	l.hourly(levelInfo, kind, format, args...)
}

func (l *logger) hourly(at level, kind, format string, args ...any) {
	now := time.Now()
	if last, ok := l.last[kind]; ok && now.Sub(last) < time.Hour {
		return
	}
	l.last[kind] = now
	l.line(at, format, args...)
}

// Warn logs at level warn.
func (l *logger) Warn(format string, args ...any) {
	l.line(levelWarn, format, args...)
}

// Info logs at level info.
func (l *logger) Info(format string, args ...any) {
	l.line(levelInfo, format, args...)
}

// Error logs at level error: something ends this package's work.
func (l *logger) Error(format string, args ...any) {
	l.line(levelError, format, args...)
}

// Debug logs at level debug.
func (l *logger) Debug(format string, args ...any) {
	l.line(levelDebug, format, args...)
}

func (l *logger) line(at level, format string, args ...any) {
	if at < l.least {
		return
	}
	line := withoutKey(fmt.Sprintf(format, args...), l.key)
	// Parts of it may come from a server: keep it to one line without control characters.
	line = "scavenger: " + clamp(printable(line), 600)
	// As slog.TextHandler writes it, in one piece, but in UTC: the first local time that is
	// printed decides about the time zone, and a program may still set TZ. If it cannot be
	// written, there is nowhere to say so.
	_, _ = fmt.Fprintf(l.out, "time=%s level=%s msg=%s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"), at, strconv.Quote(line))
}

// shortestKey is the length from which an api key is removed from lines: a shorter
// one, which no collector gives out, would be found in the middle of words.
const shortestKey = 6

// withoutKey removes the api key, which is part of a URL, from a text.
func withoutKey(text, key string) string {
	if len(key) < shortestKey {
		return text
	}
	text = strings.ReplaceAll(text, key, "***")
	return strings.ReplaceAll(text, inURL(key), "***")
}

// keyStart returns as much of an api key as may be shown.
func keyStart(key string) string {
	if len(key) < 12 {
		return "…"
	}
	return clamp(key, 4) + "…"
}

// A logFile appends lines to a file. It opens the file for each line: there are few,
// and whoever moves or removes the file need not tell us.
type logFile struct {
	path      string
	otherwise *logger     // used if the file cannot be opened
	refused   atomic.Bool // that is the case, and was said
}

func (l *logFile) Write(line []byte) (int, error) {
	if err := appendTo(l.path, line); err != nil {
		if l.refused.CompareAndSwap(false, true) {
			l.otherwise.Warn("logFile: %v: lines go to standard error", err)
		}
		return l.otherwise.out.Write(line)
	}
	return len(line), nil
}
