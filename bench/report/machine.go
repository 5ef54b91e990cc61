package main

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// machine is what the numbers were measured on.
type machine struct {
	processor string
	cores     int
	system    string
	goVersion string
	versions  map[string]string // by module path
	load      string            // the load average, before
}

func thisMachine() machine {
	m := machine{
		processor: processor(), cores: runtime.NumCPU(), system: runtime.GOOS + "/" + runtime.GOARCH,
		goVersion: runtime.Version(), versions: map[string]string{}, load: loadAverage(),
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range build.Deps {
			m.versions[dep.Path] = dep.Version
		}
	}
	return m
}

// processor is the model's name, where Linux tells it.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer f.Close() //nolint:errcheck // only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// loadAverage is that of the last minute and of the last five, where Linux tells it.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	fields := append(strings.Fields(string(text)), "", "")
	return fields[0] + " and " + fields[1]
}
