package bench_test

import (
	"os"
	"testing"

	"github.com/clerkauth/clerkauth/bench"
)

// Faults take minutes: FAULTS=1 go test -v -run Faults.
func TestFaults(t *testing.T) {
	if os.Getenv("FAULTS") == "" {
		t.Skip("takes minutes; set FAULTS=1")
	}
	pool, err := bench.LoadPool()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range bench.Faults() {
		t.Run(x.Name, func(t *testing.T) {
			for _, g := range bench.FaultGuards() {
				cells, err := x.Run(t.Context(), g, pool)
				if err != nil {
					t.Errorf("%s: %v", g.Name, err)
				}
				for i, cell := range cells {
					t.Logf("%-28s %s: %s", g.Name, x.Columns[i], cell.Text)
				}
			}
		})
	}
}
