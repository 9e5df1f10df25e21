// Package examples has one program in each folder; here all of them run.
package examples

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestEachExampleRunsAndSaysWhatItShould(t *testing.T) {
	for folder, said := range map[string][]string{
		"chat":     {"Hello from the simulator.", "tokens from demo"},
		"stream":   {"Once upon a time a gate let every word pass.", "completed with", "cancelled after a few"},
		"failover": {"code-1 200 OK", "route code: coder", "smart 200 OK", "down (status 503) swift (completed)"},
		"plugin":   {"Your card [card] is on file."},
		"rehearse": {"spare answered after 3s and 2 attempts", "primary answered after 0s and 1 attempts", "3 requests reached an upstream"},
	} {
		program := filepath.Join(t.TempDir(), folder)
		if out, err := exec.Command("go", "build", "-o", program, "./"+folder).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", folder, err, out)
			continue
		}
		out, err := exec.Command(program).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", folder, err, out)
		}
		for _, piece := range said {
			if !strings.Contains(string(out), piece) {
				t.Errorf("%s does not say %q:\n%s", folder, piece, out)
			}
		}
		t.Logf("%s:\n%s", folder, out)
	}
}
