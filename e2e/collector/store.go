// The tables, with their columns' limits.

package collector

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf16"
)

// A column is a column that a value must fit into.
type column struct {
	name  string
	chars int // counted as H2 counts them: in UTF-16 units
	bytes int // for MySQL's TEXT
}

// The columns that receive a publisher's values.
var (
	columnAPIKey        = column{name: "customers.licenseKey", chars: 40}
	columnAgentUUID     = column{name: "agent_state.jvmUuid", chars: 40}
	columnAppName       = column{name: "applications.name", chars: 255}
	columnEnvironment   = column{name: "environments.name", chars: 255}
	columnFingerprint   = column{name: "codebase_fingerprints.codeBaseFingerprint", chars: 200}
	columnJvmVersion    = column{name: "jvms.applicationVersion", chars: 80}
	columnJvmUUID       = column{name: "jvms.uuid", chars: 40}
	columnJvmFinger     = column{name: "jvms.codeBaseFingerprint", chars: 200}
	columnHostname      = column{name: "jvms.hostname", chars: 255}
	columnVisibility    = column{name: "methods.visibility", chars: 20}
	columnSignature     = column{name: "methods.signature", bytes: 65535}
	columnHash          = column{name: "methods.signatureHash", chars: 32}
	columnDeclaringType = column{name: "methods.declaringType", chars: 256}
	columnMethodName    = column{name: "methods.methodName", bytes: 65535}
	columnModifiers     = column{name: "methods.modifiers", chars: 50}
	columnInvokedHash   = column{name: "invocations.signatureHash", chars: 32}
	columnNodeParent    = column{name: "snapshot_nodes.parent", chars: 1000}
)

// check returns an error if value does not fit.
func (col column) check(value string) error {
	if col.chars > 0 && len(value) > col.chars {
		if n := len(utf16.Encode([]rune(value))); n > col.chars {
			return fmt.Errorf("value too long for column %s: %d of %d characters: %.60q", col.name, n, col.chars, value)
		}
	}
	if col.bytes > 0 && len(value) > col.bytes {
		return fmt.Errorf("value too long for column %s: %d of %d bytes: %.60q", col.name, len(value), col.bytes, value)
	}
	return nil
}

// lastTimestamp is the end of MySQL's TIMESTAMP, in milliseconds.
const lastTimestamp = (1<<31 - 1) * 1000

// checkTimestamp returns an error if a time does not fit into a TIMESTAMP.
func checkTimestamp(name string, millis int64) error {
	if millis > lastTimestamp {
		return fmt.Errorf("incorrect datetime value for column %s: %d", name, millis)
	}
	return nil
}

// pair is the key of most tables: a workspace and a name in it.
type pair struct {
	workspace, name string
}

type fingerprintKey struct {
	workspace   string
	application int
	fingerprint string
}

type invocationKey struct {
	workspace                string
	application, environment int
	hash                     string
}

// An Application is a row of applications. Deleting and re-creating one
// makes a new ID.
type Application struct {
	Workspace, Name string
	ID              int
	CreatedAtMillis int64
}

// An Environment is a row of environments.
type Environment struct {
	Workspace, Name string
	ID              int
	CreatedAtMillis int64
}

// A Jvm is a row of jvms: a process. Only its fingerprint and
// PublishedAtMillis change after the first publication.
type Jvm struct {
	Workspace         string
	UUID              string
	ApplicationID     int
	EnvironmentID     int
	AppVersion        string
	Hostname          string
	Fingerprint       string
	CreatedAtMillis   int64 // when the process started
	PublishedAtMillis int64
}

// A Fingerprint is a row of codebase_fingerprints. Times are whole minutes.
type Fingerprint struct {
	Workspace         string
	ApplicationID     int
	Fingerprint       string
	CreatedAtMillis   int64
	PublishedAtMillis int64
}

// A Method is a row of methods, which all applications of a workspace share.
type Method struct {
	Workspace        string
	Hash             string
	Signature        string
	DeclaringType    string
	MethodName       string
	Visibility       string
	Modifiers        string
	CreatedAtMillis  int64
	LastSeenAtMillis int64
	Garbage          bool
}

// The values of Invocation.Status.
const (
	statusInvoked    = "INVOKED"
	statusNotInvoked = "NOT_INVOKED"
)

// An Invocation is a row of invocations.
type Invocation struct {
	Workspace        string
	ApplicationID    int
	EnvironmentID    int
	Hash             string
	Status           string // INVOKED or NOT_INVOKED; snapshots don't look at it
	InvokedAtMillis  int64  // whole minutes; 0: never
	LastSeenAtMillis int64
}

// An AgentState is a row of agent_state: a process that polls.
type AgentState struct {
	Workspace                string
	UUID                     string
	LastPolledAtMillis       int64
	NextPollExpectedAtMillis int64
}

type tables struct {
	lastID       int
	applications map[pair]*Application
	environments map[pair]*Environment
	jvms         map[pair]*Jvm
	fingerprints map[fingerprintKey]*Fingerprint
	methods      map[pair]*Method
	invocations  map[invocationKey]*Invocation
	states       map[pair]*AgentState
}

func newTables() *tables {
	return &tables{
		applications: make(map[pair]*Application),
		environments: make(map[pair]*Environment),
		jvms:         make(map[pair]*Jvm),
		fingerprints: make(map[fingerprintKey]*Fingerprint),
		methods:      make(map[pair]*Method),
		invocations:  make(map[invocationKey]*Invocation),
		states:       make(map[pair]*AgentState),
	}
}

// Tables is a copy of all rows. Each list is sorted by its key.
type Tables struct {
	Applications []Application
	Environments []Environment
	Jvms         []Jvm
	Fingerprints []Fingerprint
	Methods      []Method
	Invocations  []Invocation
	AgentStates  []AgentState
}

// Tables returns a copy of all rows.
func (c *Collector) Tables() Tables {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables
	return Tables{
		Applications: rows(t.applications, comparePairs),
		Environments: rows(t.environments, comparePairs),
		Jvms:         rows(t.jvms, comparePairs),
		Fingerprints: rows(t.fingerprints, func(a, b fingerprintKey) int {
			return cmp.Or(cmp.Compare(a.workspace, b.workspace), cmp.Compare(a.application, b.application),
				cmp.Compare(a.fingerprint, b.fingerprint))
		}),
		Methods: rows(t.methods, comparePairs),
		Invocations: rows(t.invocations, func(a, b invocationKey) int {
			return cmp.Or(cmp.Compare(a.workspace, b.workspace), cmp.Compare(a.application, b.application),
				cmp.Compare(a.environment, b.environment), cmp.Compare(a.hash, b.hash))
		}),
		AgentStates: rows(t.states, comparePairs),
	}
}

func comparePairs(a, b pair) int {
	return cmp.Or(cmp.Compare(a.workspace, b.workspace), cmp.Compare(a.name, b.name))
}

// rows copies a table's rows in the order of their keys.
func rows[K comparable, V any](table map[K]*V, compare func(a, b K) int) []V {
	keys := make([]K, 0, len(table))
	for key := range table {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compare)
	list := make([]V, 0, len(keys))
	for _, key := range keys {
		list = append(list, *table[key])
	}
	return list
}

// DeleteApplication deletes an application as the real UI does: with its
// processes and invocations, but without its methods and fingerprints. The
// latter stay behind under an ID that is never used again. It reports whether
// there was such an application.
func (c *Collector) DeleteApplication(apiKey, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables
	app := t.applications[pair{apiKey, name}]
	if app == nil {
		return false
	}
	for key, jvm := range t.jvms {
		if key.workspace == apiKey && jvm.ApplicationID == app.ID {
			delete(t.jvms, key)
		}
	}
	for key := range t.invocations {
		if key.workspace == apiKey && key.application == app.ID {
			delete(t.invocations, key)
		}
	}
	delete(t.applications, pair{apiKey, name})
	c.rules.forget(apiKey, name)
	c.notify()
	return true
}
