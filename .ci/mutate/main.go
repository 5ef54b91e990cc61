// Mutate makes small changes, one at a time, to the code that decides who is signed in, and reports each change that no
// test notices. From the root of the repository:
//
//	go run ./.ci/mutate -n 200 -seed 1
//
// The tests of each package are built once, with all mutants in them. For each mutant those that reach it run, with -short:
// tests of the package itself, of the root, of internal/threats and of conformance, first those that are quick and killed many.
// Nothing in the tree is changed: the tests are built with an overlay.
//
// .ci/mutate/survivors.txt lists the changes that need no test, each with the reason. Mutate exits with 1 if another change
// survives, or if a reason is for a change that no longer exists.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	packages = flag.String("pkg", "internal/sessiontoken,internal/decision,internal/inbound", "packages to mutate")
	only     = flag.String("files", "", "file names to mutate, such as policy.go,decide.go; empty: all")
	count    = flag.Int("n", 200, "how many mutants; 0: all")
	seed     = flag.Uint64("seed", 1, "which ones")
	workers  = flag.Int("p", 2, "how many run at a time")
	suites   = flag.String("tests", ".,internal/threats,conformance", "tests that run beside those of the packages")
	skip     = flag.String("skip", "^TestAllocations", "tests that do not run, a regular expression; those that count allocations see the switches")
	budget   = flag.Duration("for", 24*time.Hour, "begin no more mutants after this time")
	list     = flag.Bool("list", false, "list the mutants and check survivors.txt, run nothing")
)

const survivorsFile = ".ci/mutate/survivors.txt"

func main() {
	flag.Parse()
	ok, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run() (bool, error) {
	known, err := readReasons(survivorsFile)
	if err != nil {
		return false, err
	}
	files, all, err := mutateAll()
	if err != nil {
		return false, err
	}
	stale := known.without(all)
	for _, key := range stale {
		fmt.Printf("a reason without its mutant:\n%s\n", key)
	}
	chosen := choose(all)
	if *list {
		for _, m := range chosen {
			fmt.Println(m)
		}
		return len(stale) == 0, nil
	}
	ran, survivors, err := survive(files, chosen)
	if err != nil {
		return false, err
	}
	return report(ran, survivors, known) && len(stale) == 0, nil
}

// mutateAll returns every file of the packages with its mutants in it.
func mutateAll() (map[string][]byte, []mutant, error) {
	files, number := map[string][]byte{}, 0
	var all []mutant
	for dir := range strings.SplitSeq(*packages, ",") {
		names, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			return nil, nil, err
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name) //nolint:gosec // our own files
			if err != nil {
				return nil, nil, err
			}
			mutated, mutants, err := mutate(name, text, &number)
			if err != nil {
				return nil, nil, err
			}
			files[name] = mutated
			all = append(all, mutants...)
		}
	}
	return files, all, nil
}

// choose takes a random sample, in random order, so that its beginning is a sample too.
func choose(all []mutant) []mutant {
	var chosen []mutant
	for _, m := range all {
		if *only == "" || slices.Contains(strings.Split(*only, ","), filepath.Base(m.file)) {
			chosen = append(chosen, m)
		}
	}
	random := rand.New(rand.NewPCG(*seed, 0)) //nolint:gosec // a reproducible sample
	random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	if *count > 0 && *count < len(chosen) {
		chosen = chosen[:*count]
	}
	return chosen
}

// survive returns how many of the mutants ran, and those that no test kills.
func survive(files map[string][]byte, chosen []mutant) (int, []mutant, error) {
	out, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, nil, err
	}
	defer os.RemoveAll(out) //nolint:errcheck // a temporary directory
	overlay, err := write(out, files)
	if err != nil {
		return 0, nil, err
	}
	var tests []test
	for _, dir := range slices.Concat(strings.Split(*packages, ","), strings.Split(*suites, ",")) {
		start := time.Now()
		s, err := build(dir, overlay, out)
		if err != nil {
			return 0, nil, err
		}
		prepared, err := s.prepare(out)
		if err != nil {
			return 0, nil, err
		}
		tests = append(tests, prepared...)
		fmt.Printf("%s: ready in %.0fs\n", dir, time.Since(start).Seconds())
	}
	ran, survivors := runAll(tests, chosen)
	return ran, survivors, nil
}

func runAll(tests []test, chosen []mutant) (int, []mutant) {
	var survivors []mutant
	var mutex sync.Mutex
	var group sync.WaitGroup
	next := make(chan mutant)
	for range *workers {
		group.Go(func() {
			for m := range next {
				if !killed(tests, m) {
					mutex.Lock()
					survivors = append(survivors, m)
					fmt.Println("survives:", m)
					mutex.Unlock()
				}
			}
		})
	}
	start, ran := time.Now(), 0
	for _, m := range chosen {
		if time.Since(start) > *budget {
			break
		}
		next <- m
		if ran++; ran%25 == 0 {
			fmt.Printf("%d of %d\n", ran, len(chosen))
		}
	}
	close(next)
	group.Wait()
	slices.SortFunc(survivors, func(a, b mutant) int { return a.number - b.number })
	return ran, survivors
}

// report prints the survivors, and reports whether each has a reason.
func report(ran int, survivors []mutant, known reasons) bool {
	explained := 0
	fmt.Println()
	for _, m := range survivors {
		if reason, ok := known[m.key()]; ok {
			explained++
			fmt.Printf("%s\n\t%s\n", m, reason)
		} else {
			fmt.Printf("%s\n\tNO TEST, NO REASON\n", m)
		}
	}
	fmt.Printf("%d mutants, killed %d, survived %d, of which %d have a line of reason\n",
		ran, ran-len(survivors), len(survivors), explained)
	return explained == len(survivors)
}
