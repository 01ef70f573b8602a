package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// InstallDeadcode builds the deadcode of the x/tools that plan is made with, and returns
// the binary's path, which is below dir. The working directory is in the checkout.
func InstallDeadcode(ctx context.Context, dir string) (string, error) {
	const tools = "golang.org/x/tools"
	version, err := exec.CommandContext(ctx, "go", "list", "-m", "-f={{.Version}}", tools).Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s: %w", tools, err)
	}
	cmd := exec.CommandContext(ctx, "go", "install", tools+"/cmd/deadcode@"+strings.TrimSpace(string(version)))
	cmd.Env = append(os.Environ(), "GOBIN="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing deadcode: %w\n%s", err, out)
	}
	return filepath.Join(dir, "deadcode"+ExeSuffix()), nil
}
