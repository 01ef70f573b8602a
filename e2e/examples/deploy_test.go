// Examples that run the program: their files name settings, directories and users, and the
// program runs with them.

package examples

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// exitTimeout is its default: whoever ends the program has to wait longer.
const exitTimeout = 2 * time.Second

// The program with the variables of the file, beside the collector of our tests. Docker
// itself is not run.
func TestCompose(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Build struct {
				Context, Dockerfile string
				AdditionalContexts  map[string]string `yaml:"additional_contexts"`
			}
			Command         []string
			Environment     map[string]string
			Volumes, Ports  []string
			NetworkMode     string        `yaml:"network_mode"`
			StopGracePeriod time.Duration `yaml:"stop_grace_period"`
		}
		Volumes map[string]any
	}
	parseYAML(t, "compose/compose.yaml", &file)
	app := file.Services["app"]
	contextDir := filepath.Join("compose", app.Build.Context)
	for _, name := range []string{filepath.Join(contextDir, "go.mod"), filepath.Join(contextDir, app.Build.Dockerfile),
		filepath.Join("compose", app.Build.AdditionalContexts["scavenger-wrap"], "main.go")} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
	checkMount(t, app.Environment["SCAVENGER_DATA_DIR"], strings.SplitN(app.Volumes[0], ":", 2)[1])
	for service, s := range file.Services {
		for _, volume := range s.Volumes {
			name, _, _ := strings.Cut(volume, ":")
			if !strings.HasPrefix(name, "./") && !hasKey(file.Volumes, name) {
				t.Errorf("the file has no volume %s", name)
			}
		}
		// What the two programs of the server have in common.
		if service != "app" && !slices.Contains(s.Command, "-Dspring.profiles.active=h2") {
			t.Errorf("%s runs %q, with a database of its own", service, s.Command)
		}
	}
	if api := file.Services["api"]; api.NetworkMode != "service:collector" || !slices.Contains(file.Services["collector"].Ports, "8081:8081") {
		t.Errorf("the page has the network %q", api.NetworkMode)
	}
	if app.StopGracePeriod <= exitTimeout {
		t.Errorf("the program has %v to end", app.StopGracePeriod)
	}
	c, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var names, env []string
	for name, value := range app.Environment {
		names = append(names, name)
		switch name {
		case "SCAVENGER_SERVER_URL":
			value = c.URL()
		case "SCAVENGER_API_KEY":
			if value != "${SCAVENGER_API_KEY:-}" {
				t.Errorf("the key is %q", value)
			}
			value = collector.DemoKey
		case "SCAVENGER_DATA_DIR":
			value = t.TempDir()
		}
		env = append(env, name+"="+value)
	}
	checkSettings(t, names)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	env = append(env, "SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=1") // the test's haste
	serve(t, buildApp(t), env, func() {
		if err := c.WaitRequests(ctx, collector.Codebase, 1); err != nil {
			t.Error(err)
		}
	})
	if err := c.WaitImported(ctx); err != nil {
		t.Error(err)
	}
	called := map[string]bool{}
	for _, f := range c.Functions(collector.Query{}) {
		called[f.Signature] = f.InvokedAtMillis > 0
	}
	for signature, want := range map[string]bool{"example.com.app.cart.Cart.Add(int)": true, "example.com.app.cart.Cart.Clear()": false} {
		if got, ok := called[signature]; !ok || got != want {
			t.Errorf("%s: called is %v, want %v, of %v", signature, got, want, called)
		}
	}
}

func hasKey(m map[string]any, key string) bool {
	_, ok := m[key]
	return ok
}

// checkMount checks that the directory for data is a mount.
func checkMount(t *testing.T, dataDir, mount string) {
	t.Helper()
	if dataDir == "" || dataDir != mount {
		t.Errorf("SCAVENGER_DATA_DIR is %q and the volume at %q", dataDir, mount)
	}
}

// A deployment is what the test needs of the file.
type deployment struct {
	Spec struct {
		Replicas int
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
	}
}

type podSpec struct {
	TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsUser int `yaml:"runAsUser"`
		FSGroup   int `yaml:"fsGroup"`
	} `yaml:"securityContext"`
	Containers []struct {
		Name         string
		Env          []struct{ Name, Value string }
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct{ Name string }
}

// Names in the Deployment and the claim refer to each other, and to the image's user.
func TestKubernetesFiles(t *testing.T) {
	var file deployment
	parseYAML(t, "kubernetes/deployment.yaml", &file)
	pod := file.Spec.Template.Spec
	if got, want := file.Spec.Template.Metadata.Labels["app"], file.Spec.Selector.MatchLabels["app"]; got == "" || got != want {
		t.Errorf("the pods have the label %q, the selector %q", got, want)
	}
	if time.Duration(pod.TerminationGracePeriodSeconds)*time.Second <= exitTimeout {
		t.Errorf("the program has %d s to end", pod.TerminationGracePeriodSeconds)
	}
	user := regexp.MustCompile(`(?m)^USER (\d+:\d+)$`).FindStringSubmatch(readFile(t, "docker/Dockerfile"))
	if user == nil {
		t.Fatal("the Dockerfile has no user")
	}
	if uid, gid := ids(t, user[1]); pod.SecurityContext.RunAsUser != uid || pod.SecurityContext.FSGroup != gid {
		t.Errorf("the pods' user is %+v, the image's %s", pod.SecurityContext, user[1])
	}
	_, dataDir := pod.variables("")
	for _, container := range pod.Containers {
		m := container.VolumeMounts[0]
		checkMount(t, dataDir, m.MountPath)
		if m.Name != pod.Volumes[0].Name || m.ReadOnly != (container.Name == "data") {
			t.Errorf("the mount of %s is %+v", container.Name, m)
		}
	}
	var claim struct {
		Kind     string
		Metadata struct{ Name string }
	}
	parseYAML(t, "kubernetes/claim.yaml", &claim)
	if !strings.Contains(readFile(t, "kubernetes/claim.yaml"), "claimName: "+claim.Metadata.Name+"}") || claim.Kind != "PersistentVolumeClaim" {
		t.Errorf("the claim is %+v", claim)
	}
}

// variables returns those of the program, with another dataDir unless that is "", and the
// dataDir of the file.
func (p podSpec) variables(data string) (env []string, dataDir string) {
	for _, v := range p.Containers[0].Env {
		if v.Name == "SCAVENGER_DATA_DIR" {
			dataDir = v.Value
			v.Value = cmp.Or(data, dataDir)
		}
		env = append(env, v.Name+"="+v.Value)
	}
	return env, dataDir
}

// The pods' program with its variables, all replicas in one directory as with the claim, and
// the command that fetches the data while they run. There is no cluster here.
func TestKubernetes(t *testing.T) {
	var file deployment
	parseYAML(t, "kubernetes/deployment.yaml", &file)
	pod := file.Spec.Template.Spec
	parent := t.TempDir()
	data := filepath.Join(parent, "scavenger")
	env, dataDir := pod.variables(data)
	var names []string
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	checkSettings(t, names)
	fetch := regexp.MustCompile(`(?m)^    kubectl exec \S+ -c (\w+) -- (tar .*)$`).FindStringSubmatch(readFile(t, "../../docs/building.md"))
	if fetch == nil || fetch[1] != pod.Containers[1].Name || !strings.Contains(fetch[2], filepath.Dir(dataDir)) {
		t.Fatalf("docs/building.md fetches with %q", fetch)
	}
	// Status 3: whether a process in a copy is still running cannot be seen.
	command := strings.Replace(fetch[2], "report -", "report --format=json - 2>/dev/null; test $? = 3", 1)
	command = strings.ReplaceAll(command, filepath.Dir(dataDir), parent)
	app := buildApp(t)
	for range file.Spec.Replicas {
		serve(t, app, env, func() {
			text := run(t, ".", []string{pathWithWrapper(t)}, "sh", "-c", command)
			status := parseReport(t, text).status()
			if status["Add"] != "called" || status["Total"] != "called" || status["Clear"] == "called" || status["Clear"] == "" {
				t.Errorf("what was fetched says %v\n%s", status, text)
			}
		})
	}
	checkReport(t, run(t, ".", nil, built.File(t), "report", "--format=json", data))
}

// The unit as systemd-analyze sees it, and the program with its variables. systemd itself
// starts nothing here. With DynamicUser it removes what the user has in shared memory when
// the service stops, so the marks file has to be in the data directory.
func TestSystemd(t *testing.T) {
	unit := readFile(t, "systemd/app.service")
	data := filepath.Join(t.TempDir(), "data")
	var names, env []string
	for _, v := range regexp.MustCompile(`(?m)^Environment=(\w+)=(.*)$`).FindAllStringSubmatch(unit, -1) {
		names, env = append(names, v[1]), append(env, v[1]+"="+v[2])
		if state := "StateDirectory=" + strings.TrimPrefix(v[2], "%S/"); v[1] == "SCAVENGER_DATA_DIR" && !slices.Contains(strings.Split(unit, "\n"), state) {
			t.Errorf("the unit lacks %s", state)
		}
	}
	checkSettings(t, names)
	app := buildApp(t)
	start := regexp.MustCompile(`(?m)^ExecStart=(\S+) serve$`).FindStringSubmatch(unit)
	if start == nil {
		t.Fatal("the unit starts no program as a service")
	}
	serve(t, app, append(env, "SCAVENGER_DATA_DIR="+data), func() {
		marks, err := filepath.Glob(filepath.Join(data, "*.marks"))
		if err != nil || len(marks) == 0 && strings.Contains(unit, "\nDynamicUser=yes\n") && mapsFromDisk(data) {
			t.Errorf("the program has the marks files %q, %v", marks, err)
		}
	})
	checkReport(t, run(t, ".", nil, built.File(t), "report", "--format=json", data))

	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze, which checks the unit")
	}
	file := filepath.Join(t.TempDir(), "app.service")
	if err := os.WriteFile(file, []byte(strings.Replace(unit, start[1], app, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := run(t, ".", nil, "systemd-analyze", "verify", file); out != "" {
		t.Errorf("systemd-analyze says: %s", out)
	}
}

// mapsFromDisk reports whether a program with mapping = disk has a marks file in a directory:
// on a file system that copies what is written, or on another system than Linux, it has none.
func mapsFromDisk(dir string) bool {
	out, err := exec.Command("stat", "-f", "-c", "%T", dir).Output()
	return err == nil && slices.Contains([]string{"ext2/ext3", "xfs", "f2fs", "tmpfs", "overlayfs"}, strings.TrimSpace(string(out)))
}

// ids splits a user and a group, which are numbers because the base image may not know names.
func ids(t *testing.T, owner string) (uid, gid int) {
	t.Helper()
	user, group, _ := strings.Cut(owner, ":")
	uid, err := strconv.Atoi(user)
	if err == nil {
		gid, err = strconv.Atoi(group)
	}
	if err != nil {
		t.Fatalf("%q: %v", owner, err)
	}
	return uid, gid
}
