package bench_test

import (
	"testing"

	"github.com/clerkauth/clerkauth/bench"
)

// How long a start takes is only reported; how large the program is does not depend on the machine.
func TestProgramsStartAndAreSmall(t *testing.T) {
	p, err := bench.BuildPrograms(t.Context(), t.TempDir(), bench.Stripped)
	if err != nil {
		t.Fatal(err)
	}
	guarded, bare, err := p.Sizes()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d without clerkauth", guarded, bare)
	if more := guarded - bare; more <= 0 || more > bench.LargestProgram {
		t.Errorf("clerkauth adds %d bytes to a program, want at most %d", more, bench.LargestProgram)
	}
	starts, err := p.Starts(newCourse(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range starts {
		took, err := s.FirstAnswer(t.Context())
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s: %v", s.Name, took)
	}
}
