// Logs. The toolexec role has one only if SCAVENGER_WRAP_LOG names a file: one
// line of JSON per action, appended in one write, as many actions run at once.
// Why a package was not marked is then
//
//	grep '"package":"example.com/shop/cart"' $SCAVENGER_WRAP_LOG
//
// Commands log to standard error, below their output: for people on a terminal,
// as JSON elsewhere.
//
// Of zap only zapcore is used. Package zap links net/http, which takes 1.2 ms at
// each of the hundreds of starts in a build, log or not.

package wrapper

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// logVariable names the file that actions log to.
const logVariable = "SCAVENGER_WRAP_LOG"

// What becomes of an action.
const (
	outcomeMarked    = "marked"            // compile: the package has marks
	outcomeNotMarked = "not marked"        // compile
	outcomePlain     = "plain"             // compile, asm: not marked, and taken from the plain cache
	outcomeRegistry  = "linked with marks" // link
	outcomeUntouched = "untouched"         // any other
	outcomeFailed    = "failed"
)

// An actionLog is the line of one action. A nil log takes everything and writes
// nothing.
type actionLog struct {
	file      string
	start     time.Time
	action    string
	pkg       string
	outcome   string
	reason    string
	functions int
	leftOut   int
}

// newActionLog returns nil if no log is wanted.
func newActionLog(a *action) *actionLog {
	file := os.Getenv(logVariable)
	if file == "" {
		return nil
	}
	l := &actionLog{file: file, start: time.Now(), action: a.tool, pkg: a.importPath, outcome: outcomeUntouched}
	if len(a.args) == 1 && a.args[0] == "-V=full" {
		l.action += " -V=full"
	}
	return l
}

// note sets what became of the action, and why.
func (l *actionLog) note(outcome, reason string) {
	if l != nil {
		l.outcome, l.reason = outcome, reason
	}
}

// marked notes how many marks a package has, how many functions, and how many
// functions the settings leave out.
func (l *actionLog) marked(marks, functions, leftOut int) {
	if l == nil {
		return
	}
	l.outcome, l.reason = outcomeMarked, ""
	if marks == 0 {
		l.outcome, l.reason = outcomeNotMarked, "no function to mark"
	}
	l.functions, l.leftOut = functions, leftOut
}

// plain notes that the result was taken from the plain cache, or why not.
func (l *actionLog) plain(whyNot string) {
	switch {
	case l == nil:
	case whyNot == "":
		l.outcome = outcomePlain
	case l.reason == "":
		l.reason = "not from the plain cache: " + whyNot
	default:
		l.reason += "; not from the plain cache: " + whyNot
	}
}

// linked notes how many functions a program registers, and the patterns that match
// none of its packages.
func (l *actionLog) linked(functions int, unmatched []config.Setting) {
	if l == nil {
		return
	}
	l.outcome, l.functions = outcomeRegistry, functions
	for _, s := range unmatched {
		l.reason += fmt.Sprintf("%s: %s matches no package of the program; ", s.Key.Name, s.List[0])
	}
	l.reason = strings.TrimSuffix(l.reason, "; ")
}

// write writes the line, once. A log that cannot be written must not fail a build; it
// is missed when somebody looks for it.
func (l *actionLog) write() {
	if l == nil || l.file == "" {
		return
	}
	file := l.file
	l.file = ""
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return
	}
	defer f.Close()
	fields := []zapcore.Field{
		{Key: "action", Type: zapcore.StringType, String: l.action},
		{Key: "package", Type: zapcore.StringType, String: l.pkg},
		{Key: "reason", Type: zapcore.StringType, String: l.reason},
		{Key: "functions", Type: zapcore.Int64Type, Integer: int64(l.functions)},
		{Key: "leftOut", Type: zapcore.Int64Type, Integer: int64(l.leftOut)},
		{Key: "ms", Type: zapcore.Int64Type, Integer: time.Since(l.start).Milliseconds()},
	}
	core := zapcore.NewCore(zapcore.NewJSONEncoder(encoding("outcome")), zapcore.AddSync(f), zapcore.DebugLevel)
	_ = core.Write(zapcore.Entry{Time: l.start, Message: l.outcome}, fields)
}

func encoding(message string) zapcore.EncoderConfig {
	return zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: zapcore.OmitKey, MessageKey: message,
		EncodeTime: zapcore.RFC3339NanoTimeEncoder, EncodeLevel: zapcore.LowercaseLevelEncoder,
	}
}

// A logger is the log of a command.
type logger struct{ core zapcore.Core }

// newLogger returns a log of the given level: debug, info, warn or error.
func newLogger(out io.Writer, level string) (*logger, error) {
	l, err := zapcore.ParseLevel(level)
	if err != nil || l > zapcore.ErrorLevel {
		return nil, fmt.Errorf("unknown log level %q: want debug, info, warn or error", level)
	}
	cfg := encoding("message")
	cfg.LevelKey = "level"
	encoder := zapcore.NewJSONEncoder(cfg)
	if isTerminal(out) {
		cfg.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05")
		if colored(out) {
			cfg.EncodeLevel = zapcore.LowercaseColorLevelEncoder
		}
		encoder = zapcore.NewConsoleEncoder(cfg)
	}
	return &logger{zapcore.NewCore(encoder, zapcore.AddSync(out), l)}, nil
}

// log writes a line if the level asks for it.
func (l *logger) log(level zapcore.Level, message string, fields ...zapcore.Field) {
	if l.core.Enabled(level) {
		_ = l.core.Write(zapcore.Entry{Level: level, Time: time.Now(), Message: message}, fields)
	}
}

func stringField(key, value string) zapcore.Field {
	return zapcore.Field{Key: key, Type: zapcore.StringType, String: value}
}

// colored reports whether to use colours (no-color.org).
func colored(out io.Writer) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == ""
}

// isTerminal reports whether out is a terminal, or a device like one.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
