package bench

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"time"
)

// Fault is something that goes wrong with keys.
type Fault struct {
	Name, Note string
	// Columns name what run measures.
	Columns []string
	// lifetime is how long fetched keys are fresh, for guards that can be told and have no clock to be moved.
	// 0: what their documentation proposes. It must be longer than the key server takes.
	lifetime time.Duration
	// Waits says that guards mostly wait for time to pass, so that all may meet it at once.
	Waits bool
	run   func(f *field) ([]Cell, error)
}

// Run lets one guard meet a fault and returns a cell for every column. A guard that does not fetch keys has none to
// lose: all its cells are "-".
func (x Fault) Run(ctx context.Context, g Guard, pool *Pool) ([]Cell, error) {
	if g.Keys == Given {
		cells := make([]Cell, len(x.Columns))
		for i := range cells {
			cells[i] = none
		}
		return cells, nil
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return x.run(newField(ctx, g, pool, other, x.lifetime))
}

// The faults that the report refers to.
const (
	RandomKids    = "random kids"
	FirstRequests = "first requests"
	SlowKeys      = "slow, past lifetime"
	DownKeys      = "down, past lifetime"
	HangingKeys   = "hanging, past lifetime"
)

// Faults are the rows of the fault table.
func Faults() []Fault {
	past := []string{"valid requests refused", "longest wait", "fetches"}
	return []Fault{
		{
			RandomKids, "1000 tokens with as many unknown kids, 32 at a time; the key server takes 10 ms",
			[]string{"fetches", "longest wait", "valid token meanwhile, p99 (alone)", "valid tokens refused"},
			0, false, randomKids,
		},
		{
			FirstRequests, "1000 requests at once, the first of all; the key server takes 2 s",
			[]string{"start took", "fetches", "longest wait", "refused"},
			0, false, firstRequests,
		},
		{
			"down at start", "the key server answers 503 when the program starts and for 40 requests, then recovers",
			[]string{"start took", "fetches meanwhile", "longest wait", "admits again after"},
			0, false, downAtStart,
		},
		{
			SlowKeys, "the keys are known but no longer fresh; the key server takes 2 s; 20 requests twice, 20 at a time",
			past, 4 * time.Second, true, pastLifetime(Well, 2*time.Second),
		},
		{
			DownKeys, "the same, but the key server answers 503",
			past, time.Second, true, pastLifetime(Down, 0),
		},
		{
			HangingKeys, "the same, but the key server takes connections and never answers",
			past, time.Second, true, pastLifetime(Hanging, 0),
		},
		{
			"rotated", "a new key takes the old one's place; its token comes at once",
			[]string{"refused before", "admitted after", "fetches"},
			0, true, rotated(false),
		},
		{
			"rotated after junk", "the same, a moment after a token with an unknown kid",
			[]string{"refused before", "admitted after", "fetches"},
			0, true, rotated(true),
		},
		{
			"revoked", "the key is taken out of the set; requests with its tokens keep coming, ten per lifetime of the keys",
			[]string{"refused after"},
			time.Second, true, revoked,
		},
	}
}

func randomKids(f *field) ([]Cell, error) {
	if err := f.warm(); err != nil {
		return nil, err
	}
	f.keys.Behave(Well, 10*time.Millisecond)
	valid := f.valid(f.kid)
	alone := f.send(2000, 1, valid)
	done := make(chan tally)
	go func() { done <- f.send(1000, 32, f.junk) }()
	var meanwhile tally
	for {
		select {
		case junk := <-done:
			if len(meanwhile.waits) == 0 {
				meanwhile = f.send(1, 1, valid)
			}
			return []Cell{
				count(f.keys.Fetches()), wait(junk.longest()),
				beside(meanwhile.p99(), alone.p99()), count(meanwhile.refused),
			}, nil
		default:
			meanwhile = meanwhile.add(f.send(10, 1, valid))
		}
	}
}

func firstRequests(f *field) ([]Cell, error) {
	f.keys.Behave(Well, 2*time.Second)
	took, err := f.start()
	if err != nil {
		return nil, err
	}
	t := f.send(1000, 1000, f.valid(f.kid))
	return []Cell{wait(took), count(f.keys.Fetches()), wait(t.longest()), count(t.refused)}, nil
}

func downAtStart(f *field) ([]Cell, error) {
	f.keys.Behave(Down, 0)
	took, err := f.start()
	if err != nil {
		return []Cell{noted("no start in " + Duration(took)), count(f.keys.Fetches()), none, none}, nil
	}
	t := f.send(40, 4, f.valid(f.kid))
	fetches := f.keys.Fetches()
	f.keys.Behave(Well, 0)
	after, _, ok := f.until(true, f.valid(f.kid))
	return []Cell{wait(took), count(fetches), wait(t.longest()), happened(after, ok)}, nil
}

func pastLifetime(behaviour Behaviour, delay time.Duration) func(*field) ([]Cell, error) {
	return func(f *field) ([]Cell, error) {
		if err := f.warm(); err != nil {
			return nil, err
		}
		f.keys.Behave(behaviour, delay)
		f.age(1.2)
		t := f.send(20, 20, f.valid(f.kid))
		time.Sleep(200 * time.Millisecond) // for what the first ones started in the background to fail
		t = t.add(f.send(20, 20, f.valid(f.kid)))
		return []Cell{count(t.refused), wait(t.longest()), count(f.keys.Fetches())}, nil
	}
}

func rotated(junkFirst bool) func(*field) ([]Cell, error) {
	return func(f *field) ([]Cell, error) {
		if err := f.warm(); err != nil {
			return nil, err
		}
		if junkFirst {
			f.ask(f.junk())
		}
		kid := f.kid + "next"
		f.keys.Serve(map[string]*rsa.PublicKey{kid: &f.other.PublicKey})
		after, sent, ok := f.until(true, f.valid(kid))
		return []Cell{count(sent - 1), happened(after, ok), count(f.keys.Fetches())}, nil
	}
}

func revoked(f *field) ([]Cell, error) {
	const perLifetime, lifetimes = 10, 5
	if err := f.warm(); err != nil {
		return nil, err
	}
	f.keys.Serve(map[string]*rsa.PublicKey{f.kid + "next": &f.other.PublicKey})
	token := f.valid(f.kid)
	for i := range perLifetime * lifetimes {
		if !f.ask(token()) {
			return []Cell{noted(fmt.Sprintf("%.1f lifetimes", float64(i)/perLifetime))}, nil
		}
		f.age(1.0 / perLifetime)
	}
	return []Cell{noted(fmt.Sprintf("not in %d lifetimes", lifetimes))}, nil
}
