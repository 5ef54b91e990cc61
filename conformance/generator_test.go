package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The mixtures are requests that were not recorded, made of parts of recorded ones, in which rules are combined. The
// expected decision is computed from the request alone, see course_test.go, without the reference. With
// CLERKAUTH_MIXTURES=folder they are written into the folder, without a decision: run with the reference, they become
// another recording for CLERKAUTH_CASES, in which every rule must declare that it applies.

// mixturesOfARun is how many are made for one seed.
const mixturesOfARun, mixturesWhenShort = 2000, 200

// TestMixtures decides mixtures and compares. CLERKAUTH_SEED=1,2,3 makes others.
func TestMixtures(t *testing.T) {
	seeds := os.Getenv("CLERKAUTH_SEED")
	if seeds == "" {
		seeds = "20260512"
	}
	for text := range strings.SplitSeq(seeds, ",") {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("CLERKAUTH_SEED: %v", err)
		}
		t.Run(text, func(t *testing.T) { decideMixtures(t, seed) })
	}
}

func decideMixtures(t *testing.T, seed uint64) {
	n := mixturesOfARun
	if testing.Short() {
		n = mixturesWhenShort
	}
	made, missing := mix(t, load(t), seed, n)
	if len(missing) > 0 {
		t.Logf("the recording has no %s", strings.Join(missing, ", no "))
	}
	if len(made) == 0 {
		t.Skip("the recording has nothing to mix")
	}
	if folder := os.Getenv("CLERKAUTH_MIXTURES"); folder != "" {
		writeMixtures(t, filepath.Join(folder, "cases"), made, seed)
	}
	kinds, results, failed := map[string]int{}, map[string]int{}, 0
	for _, c := range made {
		kinds[c.Family]++
		want := c.decision()
		results[want.Status]++
		if want.Pending {
			want.Token = ""
		}
		if lines := differences(c.decide(t, c.parties()), want); len(lines) > 0 {
			failed++
			t.Errorf("%s, %s, is decided otherwise:\n%s", c.Name, c.Family, strings.Join(lines, "\n"))
		}
	}
	t.Logf("%d mixtures, seed %d, F = %d", len(made), seed, failed)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("%5d  %s", kinds[kind], kind)
	}
	t.Logf("expected: %v", results)
	for _, status := range []string{signedIn, signedOut, handshake, refused} {
		if load(t).builtIn && results[status] == 0 {
			t.Errorf("nothing is %s: the mixtures say too little", status)
		}
	}
}

// mix makes n mixtures, as many of each kind. missing names the parts that the recording does not have.
func mix(tb testing.TB, r *recording, seed uint64, n int) (made []*recorded, missing []string) {
	tb.Helper()
	rng := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // the same for the same seed, which is the point
	var all []*parts
	for _, public := range r.publishableKeys(tb) {
		p := partsOf(tb, r, public, rng)
		missing = append(missing, p.missing()...)
		all = append(all, p)
	}
	for tries := 0; len(all) > 0 && len(made) < n && tries < 4*n; tries++ {
		p, kind := one(rng, all), mixtureKinds[len(made)%len(mixtureKinds)]
		m := p.start()
		kind.mix(p, m)
		c := p.finish(m)
		c.Name, c.Family = "mixture-"+strconv.Itoa(len(made)), kind.name
		if c.skipCause(tb) == "" && !c.decidesMachine() {
			made = append(made, c)
		}
	}
	return made, missing
}

// publishableKeys are those of the instances that mixtures are made for: each has a tenth of the cases at least.
func (r *recording) publishableKeys(tb testing.TB) []string {
	tb.Helper()
	counts, all := map[string]int{}, 0
	for _, cases := range r.cases {
		for _, c := range cases {
			if c.skipCause(tb) == "" && frontendHost(c) != "" {
				counts[c.public()]++
				all++
			}
		}
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return 10*n < all })
	return slices.Sorted(maps.Keys(counts))
}

func writeMixtures(t *testing.T, folder string, made []*recorded, seed uint64) {
	t.Helper()
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil { //nolint:gosec // the folder is the tester's own
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("mixtures_%d.json", seed)), text, 0o600); err != nil { //nolint:gosec // the folder is the tester's own
		t.Fatal(err)
	}
}
