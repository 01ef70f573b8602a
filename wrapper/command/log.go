// The log of commands. It goes to standard error, below their output: for people on a
// terminal, as JSON elsewhere.

package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
)

// A logger is the log of a command.
type logger struct{ core zapcore.Core }

// newLogger returns a log of the given level: debug, info, warn or error.
func newLogger(out io.Writer, level string) (*logger, error) {
	l, err := zapcore.ParseLevel(level)
	if err != nil || l > zapcore.ErrorLevel {
		return nil, fmt.Errorf("unknown log level %q: want debug, info, warn or error", level)
	}
	cfg := action.LogEncoding("message")
	cfg.LevelKey = "level"
	encoder := zapcore.NewJSONEncoder(cfg)
	if isTerminal(out) {
		cfg.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05")
		if colored(out) {
			cfg.EncodeLevel = zapcore.LowercaseColorLevelEncoder
		}
		encoder = zapcore.NewConsoleEncoder(cfg)
	}
	return &logger{zapcore.NewCore(encoder, zapcore.AddSync(unescaped(out)), l)}, nil
}

// log writes a line if the level asks for it.
func (l *logger) log(level zapcore.Level, message string, fields ...zapcore.Field) {
	if l.core.Enabled(level) {
		_ = l.core.Write(zapcore.Entry{Level: level, Time: time.Now(), Message: Escaped(message)}, fields)
	}
}

func stringField(key, value string) zapcore.Field {
	return zapcore.Field{Key: key, Type: zapcore.StringType, String: Escaped(value)}
}

// colored reports whether to use colours (no-color.org).
func colored(out io.Writer) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == ""
}

// isTerminal reports whether out is a terminal, or a device like one.
func isTerminal(out io.Writer) bool {
	f, ok := unescaped(out).(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
