package hitrt

// What is said, on standard error or in a file. Nothing else in this package
// writes there.

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"
)

// A reporter writes single lines whose message begins with "scavenger: ". It
// belongs to the publisher's goroutine.
type reporter struct {
	log  *slog.Logger
	key  string               // the api key, which must not appear in any line
	said map[string]time.Time // when a kind of line was last written
}

// newReporter returns a reporter that writes to out, or to logFile if that is
// set, with a logger of its own: the program's is left alone.
func newReporter(out io.Writer, set *settings) *reporter {
	if set.logFile != "" {
		out = &logFile{path: set.logFile, otherwise: out}
	}
	handler := slog.NewTextHandler(out, &slog.HandlerOptions{Level: set.logLevel})
	return &reporter{log: slog.New(handler), key: set.apiKey, said: map[string]time.Time{}}
}

// say writes one line, unless one of the same kind was written within the last
// hour: a collector that is down for a week must not fill anybody's log.
func (r *reporter) say(kind, format string, args ...any) {
	r.sometimes(slog.LevelWarn, kind, format, args...)
}

// inform is say for what is as it should be.
func (r *reporter) inform(kind, format string, args ...any) {
	r.sometimes(slog.LevelInfo, kind, format, args...)
}

func (r *reporter) sometimes(level slog.Level, kind, format string, args ...any) {
	now := time.Now()
	if last, ok := r.said[kind]; ok && now.Sub(last) < time.Hour {
		return
	}
	r.said[kind] = now
	r.line(level, format, args...)
}

// write writes one line.
func (r *reporter) write(format string, args ...any) {
	r.line(slog.LevelWarn, format, args...)
}

// fail writes one line about what ends this package's work.
func (r *reporter) fail(format string, args ...any) {
	r.line(slog.LevelError, format, args...)
}

// trace writes one line at level debug.
func (r *reporter) trace(format string, args ...any) {
	r.line(slog.LevelDebug, format, args...)
}

func (r *reporter) line(level slog.Level, format string, args ...any) {
	if !r.log.Enabled(context.Background(), level) {
		return
	}
	line := fmt.Sprintf(format, args...)
	if len(r.key) >= shortestKey {
		line = strings.ReplaceAll(line, r.key, "***")
		line = strings.ReplaceAll(line, url.QueryEscape(r.key), "***")
	}
	// Parts of it may come from a server: one line, no control characters.
	r.log.Log(context.Background(), level, "scavenger: "+clamp(printable(line), 600))
}

// shortestKey is how long an api key must be to be looked for in lines: a shorter
// one, which no collector gives out, would be found in the middle of words.
const shortestKey = 6

// keyStart is as much of an api key as may be shown.
func keyStart(key string) string {
	if len(key) < 12 {
		return "…"
	}
	return clamp(key, 4) + "…"
}

// A logFile appends lines to a file. It is opened for each of them: there are few,
// and whoever moves or removes it need not tell us.
type logFile struct {
	path      string
	otherwise io.Writer // if the file is not to be had
}

func (l *logFile) Write(line []byte) (int, error) {
	file, err := openFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return l.otherwise.Write(line)
	}
	defer file.Close()
	return file.Write(line)
}
