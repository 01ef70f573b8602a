// The log of actions. There is one only if SCAVENGER_WRAP_LOG names a file: one
// line of JSON per action, appended in one write, as many actions run at once.
// Why a package was not marked is then
//
//	grep '"package":"example.com/shop/cart"' $SCAVENGER_WRAP_LOG
//
// Of zap only zapcore is used. Package zap links net/http, which takes 1.2 ms at
// each start that wrapper/early leaves to us, log or not.

package action

import (
	"fmt"
	"os"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/early"
)

// What becomes of an action.
const (
	outcomeMarked        = "marked"            // compile: the package has marks
	OutcomeNotMarked     = "not marked"        // compile
	outcomePlain         = "plain"             // compile, asm: from the plain cache
	outcomeRegistry      = "linked with marks" // link
	outcomePassedThrough = "passed through"    // any other
	OutcomeFailed        = "failed"
)

// A Log is the line of one action. A nil log takes everything and writes
// nothing.
type Log struct {
	file      string
	start     time.Time
	action    string
	pkg       string
	outcome   string
	reason    string
	functions int
	leftOut   int
}

// newLog returns nil if no log is wanted.
func newLog(a *Action) *Log {
	file := os.Getenv(early.LogVariable)
	if file == "" {
		return nil
	}
	l := &Log{file: file, start: time.Now(), action: a.Tool, pkg: a.ImportPath, outcome: outcomePassedThrough}
	if a.VersionOnly() {
		l.action += " -V=full"
	}
	return l
}

// Note sets what became of the action, and why.
func (l *Log) Note(outcome, reason string) {
	if l != nil {
		l.outcome, l.reason = outcome, reason
	}
}

// Marked notes how many marks a package has, how many functions, and how many
// functions the settings leave out.
func (l *Log) Marked(marks, functions, leftOut int) {
	if l == nil {
		return
	}
	l.outcome, l.reason = outcomeMarked, ""
	if marks == 0 {
		l.outcome, l.reason = OutcomeNotMarked, "no function to mark"
	}
	l.functions, l.leftOut = functions, leftOut
}

// Plain notes that the result was taken from the plain cache, or why not.
func (l *Log) Plain(whyNot string) {
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

// Linked notes how many functions a program registers, and the patterns that match
// none of its packages.
func (l *Log) Linked(functions int, unmatched []config.Setting) {
	if l == nil {
		return
	}
	l.outcome, l.functions = outcomeRegistry, functions
	for _, s := range unmatched {
		l.reason += fmt.Sprintf("%s: %s matches no package of the program; ", s.Key.Name, s.List[0])
	}
	l.reason = strings.TrimSuffix(l.reason, "; ")
}

// Write writes the line, once. It ignores errors: a log must not fail a build
// (CheckLog has them).
func (l *Log) Write() {
	if l == nil || l.file == "" {
		return
	}
	file := l.file
	l.file = ""
	f, err := openLog(file)
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
	core := zapcore.NewCore(zapcore.NewJSONEncoder(LogEncoding("outcome")), zapcore.AddSync(f), zapcore.DebugLevel)
	_ = core.Write(zapcore.Entry{Time: l.start, Message: l.outcome}, fields)
}

func openLog(file string) (*os.File, error) {
	return os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
}

// LogEncoding returns how our logs are written, with the key of the message.
func LogEncoding(message string) zapcore.EncoderConfig {
	return zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: zapcore.OmitKey, MessageKey: message,
		EncodeTime: zapcore.RFC3339NanoTimeEncoder, EncodeLevel: zapcore.LowercaseLevelEncoder,
	}
}
