// The API: the module hitrt/api, which programs import to say where their hits go and
// when.
//
// It is a module without requirements, so it changes the version of no other module in a
// program. That is why neither it nor hitrt imports the other. The registry, which is
// generated here, binds the two. The program chooses the version of the API, and whoever
// builds the program chooses that of hitrt. The code that binds them is in a file of its
// own. If the versions do not fit, that file does not compile, and the program is built
// without it.

package link

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

const (
	apiPath     = registry.HitrtPath + "/api"
	bindingPath = apiPath + "/internal/binding"
)

// bindingSource is compiled behind the file that registers the program. So its init
// function runs later, when hitrt knows the program.
const bindingSource = registry.GeneratedHeader + `package registry

import (
	"` + registry.HitrtPath + `"
	"` + bindingPath + `"
)

func init() { binding.Bind(hitrt.Start, hitrt.Flush, hitrt.Shutdown) }
`

// compileRegistry compiles the registry from file. If the program has the API, it adds
// the file that binds the API, unless that does not compile.
func (l *linking) compileRegistry(file string) (archive string, err error) {
	if _, ok := l.cfg.Packages[apiPath]; !ok {
		return l.compilePackage(registry.Path, []string{file}, l.cfg.Paths())
	}
	bind := filepath.Join(filepath.Dir(file), "binding.go")
	if err := os.WriteFile(bind, []byte(bindingSource), 0o666); err != nil {
		return "", err
	}
	archive, bindErr := l.compilePackage(registry.Path, []string{file, bind}, l.cfg.Paths())
	if bindErr == nil {
		return archive, nil
	}
	archive, err = l.compilePackage(registry.Path, []string{file}, l.cfg.Paths())
	if err == nil {
		warnUnbound(os.Stderr, bindErr)
	}
	return archive, err
}

// warnUnbound prints that the API does nothing in a program, and what to do about it.
func warnUnbound(out io.Writer, err error) {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	fmt.Fprintf(out, "scavenger-wrap: the program's version of %s does not fit this scavenger-wrap, so that its functions do nothing: "+
		"update the older of the two, the package with go get %s@latest (%s)\n", apiPath, apiPath, text)
}
