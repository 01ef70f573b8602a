// scavenger-wrap doctor: is all there that is needed, and if not, what to do.

package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap/zapcore"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/hitrt"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/link"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolid"
)

func (cmd *commands) doctorCommand() *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "check the settings, the go command and the collector, step by step",
		ArgsUsage: "[BINARY]",
		Description: "Each line is a step with its outcome; below one that failed is what to do about\n" +
			"it, and the last line says what to do next. The collector is asked what a\n" +
			"program asks first, with the code that is built into programs; nothing is\n" +
			"published. Of dataDir it says how calls would be kept of a program that this user\n" +
			"starts here. With BINARY, what is built into that program counts, and what it\n" +
			"tracks is listed.\n\n" +
			"Exit status 1: a step failed.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "functions", Usage: "of BINARY, list each function"},
			&cli.BoolFlag{Name: "offline", Usage: "leave the collector out"},
		},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, "one binary"); err != nil {
				return err
			}
			d := &examination{commands: cmd, color: colored(cmd.stdout)}
			return d.run(c.Args().First(), c.Bool("functions"), c.Bool("offline"))
		},
	}
}

// An examination is one run of doctor.
type examination struct {
	*commands
	color  bool
	failed int
	next   nextStep
}

// say prints a step: its outcome is ok, note or failed.
func (d *examination) say(step, outcome, detail, advice string) {
	if outcome == "failed" {
		d.failed++
		d.next.mend(step, detail, advice)
	}
	color, ok := map[string]string{"ok": "32", "note": "33", "failed": "31"}[outcome]
	if ok && d.color {
		fmt.Fprintf(unescaped(d.stdout), "\x1b[%sm%-6s\x1b[0m", color, outcome)
	} else {
		fmt.Fprintf(d.stdout, "%-6s", outcome)
	}
	fmt.Fprintf(d.stdout, "  %-16s  %s\n", indented(step, 8), indented(detail, 26))
	if advice != "" {
		fmt.Fprintf(d.stdout, "%24s  -> %s\n", "", indented(advice, 29))
	}
}

func (d *examination) run(binary string, functions, offline bool) error {
	var b *registry.Inspected
	if binary != "" {
		var err error
		if b, err = registry.Inspect(binary); err != nil {
			return fmt.Errorf("doctor: %w; name a program that go build wrote", err)
		}
	}
	self, err := toolid.BuildName(d.sources)
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	d.say("scavenger-wrap", "ok", self, "")
	d.next.marked = d.goCommand(b != nil)
	var settings map[string]string
	if b == nil {
		settings = d.settings()
	} else {
		d.binary(b, self, functions)
		settings = b.Settings
	}
	d.variables()
	if v := runValue("enabled", settings); v != "" && !strings.EqualFold(v, "true") && !strings.HasPrefix(v, "$") {
		d.say("enabled", "note", v+": programs that are started here write nothing and send nothing", "")
		d.next.better("take enabled out of the settings and variables, or make it true")
	}
	if err := action.CheckLog(); err != nil {
		d.say("log", "failed", err.Error(), "name a file that builds may write to")
	}
	d.dataDir(settings)
	switch {
	case offline || d.failed > 0 && settings == nil:
	case settings["network"] == "false":
		d.say("collector", "note", "network = false: programs write local files only; scavenger-wrap publish sends these", "")
	case !collects(settings):
		d.say("collector", "note", "serverUrl and apiKey are not both set: programs send nothing", "")
		if runValue("serverUrl", settings) != "" {
			d.next.better("set SCAVENGER_API_KEY, too: the key is on the dashboard of Scavenger's web page")
		}
	default:
		if err := d.collector(settings); err != nil {
			return fmt.Errorf("doctor: %w", err)
		}
	}
	if err := d.unsent(settings); err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	fmt.Fprintf(d.stdout, "\nNext: %s\n", indented(d.whatNext(binary, settings), 6))
	if d.failed > 0 {
		return fmt.Errorf("doctor: %d of the steps failed", d.failed)
	}
	return nil
}

// collects reports whether a program with these settings would send anything, as
// far as that can be told without the settings file of the run.
func collects(settings map[string]string) bool {
	return settings["network"] != "false" && runValue("serverUrl", settings) != "" && runValue("apiKey", settings) != ""
}

// runValue returns the value that a key would have in a program with these settings that
// is started here.
func runValue(key string, settings map[string]string) string {
	k := config.LookUp(key)
	for _, name := range append([]string{k.Name}, k.Aliases...) {
		if v, ok := os.LookupEnv(config.Variable(name)); ok {
			return strings.TrimSpace(v)
		}
	}
	value := settings[key]
	for _, o := range config.Options(os.Getenv("SCAVENGER_OPTIONS")) {
		if o.Key == k {
			value = o.Value
		}
	}
	return strings.TrimSpace(value)
}

// goCommand looks at the go command and at what makes it start us, and reports whether it
// does without a -toolexec on its command line. built says that doctor is about a program
// that is there already.
func (d *examination) goCommand(built bool) (marked bool) {
	out, err := exec.Command("go", "env", "-json", "GOVERSION", "GOFLAGS", "GOMOD", "GOWORK").Output()
	var env struct{ GOVERSION, GOFLAGS, GOMOD, GOWORK string }
	if err == nil {
		err = json.Unmarshal(out, &env)
	}
	switch {
	case built && errors.Is(err, exec.ErrNotFound):
		d.say("go", "note", "no go command here, which only builds need", "")
		return false
	case errors.Is(err, exec.ErrNotFound):
		d.say("go", "failed", err.Error(), "install Go, and put its bin directory into PATH; where programs only run, name one: scavenger-wrap doctor BINARY")
		return false
	case err != nil:
		d.say("go", "failed", err.Error(), "install Go, and put its bin directory into PATH")
		return false
	}
	if err := toolchain.CheckRelease(toolchain.ReleaseOf(strings.Fields(env.GOVERSION))); err != nil {
		d.say("go", "failed", "scavenger-wrap "+err.Error(), "install a newer Go; one from Go 1.21 on runs it for GOTOOLCHAIN=go1.24.0+auto")
	} else {
		d.say("go", "ok", env.GOVERSION, "")
	}
	d.log.log(zapcore.DebugLevel, "go env", stringField("GOMOD", env.GOMOD), stringField("GOWORK", env.GOWORK))
	if (env.GOMOD == "" || env.GOMOD == os.DevNull) && (env.GOWORK == "" || env.GOWORK == "off") {
		d.say("module", "note", "no go.mod here or above: name what to mark in SCAVENGER_PACKAGES", "")
		if !built {
			d.next.better("go to the module of your program, and run scavenger-wrap doctor there")
		}
	}
	flags, err := toolchain.SplitQuoted(env.GOFLAGS)
	if err != nil {
		d.say("GOFLAGS", "failed", fmt.Sprintf("%s: %v", env.GOFLAGS, err), "scavenger-wrap goflags prints a value that is quoted as it must be")
		return false
	}
	i := slices.IndexFunc(flags, func(f string) bool { return strings.HasPrefix(toolchain.OneDash(f), "-toolexec=") })
	if i < 0 {
		d.say("GOFLAGS", "note", "no -toolexec: give go build -toolexec=scavenger-wrap, or see scavenger-wrap goflags", "")
		return false
	}
	_, value, _ := strings.Cut(flags[i], "=")
	words, err := toolchain.SplitQuoted(value)
	if err != nil || len(words) == 0 {
		d.say("GOFLAGS", "failed", flags[i], "scavenger-wrap goflags prints a value that is quoted as it must be")
		return false
	}
	found, err := exec.LookPath(words[0])
	if err != nil {
		d.say("GOFLAGS", "failed", fmt.Sprintf("%s: %v", flags[i], toolchain.UnwrapExec(err)), "name the path: scavenger-wrap goflags")
		return false
	}
	if exe, err := os.Executable(); err != nil || !sameFile(exe, found) {
		d.say("GOFLAGS", "note", fmt.Sprintf("builds start %s, which is not this scavenger-wrap", found), "")
		return true
	}
	d.say("GOFLAGS", "ok", flags[i], "")
	return true
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// settings shows the settings of a build here, and returns those that it would build in.
// It returns nil if the settings are wrong.
func (d *examination) settings() map[string]string {
	cfg, err := d.buildConfig()
	if err != nil {
		d.say("settings", "failed", err.Error(), "")
		return nil
	}
	file := cfg.File
	if file == "" {
		file = "no file"
	}
	d.say("settings", "ok", file, "")
	for _, s := range cfg.Settings {
		d.say("  "+s.Key.Name, "ok", fmt.Sprintf("%s  (%s)", s.Text(), s.From), "")
	}
	for _, n := range cfg.Notes {
		d.say("settings", "note", n, "")
	}
	d.evidence(cfg, time.Now())
	for _, o := range cfg.Overlooked() {
		d.say("settings", "note", o.Message(), "")
		if cfg.File == "" {
			d.next.better(o.Message())
		}
	}
	if cfg.NoAPIKey != "" {
		d.next.better(cfg.NoAPIKey)
	}
	for _, s := range cfg.CannotMatch(nil) {
		d.say("settings", "note", link.CannotMatch(s), "")
		d.next.better(link.CannotMatch(s))
	}
	return cfg.BuiltIn()
}

// variables shows the variables that a program started here would see.
func (d *examination) variables() {
	for _, v := range config.Options(os.Getenv("SCAVENGER_OPTIONS")) {
		switch {
		case v.Key == nil && v.Nearest != "":
			d.doubtful(fmt.Sprintf("SCAVENGER_OPTIONS: %s is no setting; did you mean %s?", v.Name, v.Nearest))
		case v.Key == nil:
			d.say("environment", "note", fmt.Sprintf("SCAVENGER_OPTIONS: %s is no setting", v.Name), "")
		case v.Key.Build:
			d.say("environment", "note", fmt.Sprintf("SCAVENGER_OPTIONS: %s acts when a program is built, and has no effect here", v.Name), "")
		case v.Wrong != nil:
			d.doubtful(fmt.Sprintf("SCAVENGER_OPTIONS: %s: %v", v.Name, v.Wrong))
		default:
			d.say("environment", "ok", fmt.Sprintf("SCAVENGER_OPTIONS: %s=%s  (where a program runs)", v.Name, config.Setting{Key: v.Key, Value: v.Value}.Text()), "")
		}
	}
	for _, v := range config.Variables(os.Environ()) {
		switch {
		case v.Key == nil && v.Nearest != "":
			d.doubtful(fmt.Sprintf("%s is no setting; did you mean %s?", v.Name, v.Nearest))
		case v.Key == nil:
			d.say("environment", "note", v.Name+" is no setting", "")
		case v.Wrong != nil:
			d.doubtful(fmt.Sprintf("%s: %v", v.Name, v.Wrong))
		case !v.Key.Build:
			d.say("environment", "ok", fmt.Sprintf("%s=%s  (where a program runs)", v.Name, config.Setting{Key: v.Key, Value: v.Value}.Text()), "")
		}
	}
}

// doubtful notes a setting that no program understands, and somebody may have meant otherwise.
func (d *examination) doubtful(text string) {
	d.say("environment", "note", text, "")
	d.next.better(text)
}

// binary shows what is built into a program.
func (d *examination) binary(b *registry.Inspected, self string, functions bool) {
	switch {
	case b.BuiltBy == "":
		d.say("binary", "failed", b.Main+" was not built with scavenger-wrap", "build it with -toolexec=scavenger-wrap; if that was done, scavenger-wrap scan shows what matches")
		return
	case b.BuiltBy != self:
		d.say("binary", "note", fmt.Sprintf("%s, built by another scavenger-wrap, %s, with %s", b.Main, b.BuiltBy, b.GoVersion), "")
	default:
		d.say("binary", "ok", fmt.Sprintf("%s, built by this version with %s", b.Main, b.GoVersion), "")
	}
	for _, name := range slices.Sorted(maps.Keys(b.Settings)) {
		s := config.Setting{Key: &config.Key{}, Value: b.Settings[name]}
		if k := config.LookUp(name); k != nil {
			s.Key = k
		}
		d.say("  "+name, "ok", s.Text()+"  (built in)", "")
	}
	d.stale(b)
	total := 0
	slices.SortFunc(b.Packages, func(x, y registry.InspectedPackage) int { return strings.Compare(x.Path, y.Path) })
	for _, p := range b.Packages {
		total += len(p.Functions)
		detail := counted(len(p.Functions), "function")
		if p.Unseen > 0 {
			detail += fmt.Sprintf(", %d of them not observable", p.Unseen)
		}
		d.say("tracks", "ok", p.Path+": "+detail, "")
		if functions {
			for _, f := range p.Functions {
				fmt.Fprintf(d.stdout, "%24s  %s\n", "", f)
			}
		}
	}
	if total == 0 {
		d.say("tracks", "failed", "no function", "scavenger-wrap scan shows which packages match")
	}
}

// stale notes each setting whose built-in value differs from the one that the program
// would get if it were built now.
func (d *examination) stale(b *registry.Inspected) {
	cfg, err := d.buildConfig()
	if err != nil || !cfg.OfModules(b.Main) {
		return
	}
	all := maps.Clone(b.Settings)
	now := cfg.BuiltIn()
	maps.Copy(all, now)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if b.Settings[name] == now[name] {
			continue
		}
		from := cfg.File
		if from == "" {
			from = "the directory, which has no settings file,"
		}
		d.say("binary", "note", fmt.Sprintf("%s now has another value of %s: build the program again", from, name), "")
		d.next.better("build the program again, as its settings have changed")
	}
}

// collector checks the collector, with the code that is in programs.
func (d *examination) collector(settings map[string]string) error {
	baked, err := json.Marshal(settings)
	if err == nil {
		hitrt.Check(d.say, string(baked))
	}
	return err
}

// unsent says where a program that ends keeps what the collector does not accept.
func (d *examination) unsent(settings map[string]string) error {
	if !collects(settings) {
		return nil
	}
	baked, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	switch dir, saves := hitrt.UnsentDir(string(baked), writable); {
	case dir != "":
		d.say("unsent calls", "ok", dir+" keeps what the collector does not accept when a program ends", "")
	case saves:
		d.say("unsent calls", "note", "what the collector does not accept when a program ends is lost: there is no directory of this user alone for it", "set dataDir, or give the user a HOME that only this user can write to")
	}
	return nil
}
