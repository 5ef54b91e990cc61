package clerkauth

import (
	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// ShareKeys makes a verify with the keys of other, so that the two differ only in their token
// caches. a has no secret key.
func (a *Authenticator) ShareKeys(other *Authenticator) {
	a.keys = other.keys
	a.decider = decision.New(&a.settings.decision, sessiontoken.New(a.keys, a.settings.tokenCacheSize, a.settings.decision.Policy.Skew), nil)
}

// WaitForKeys waits until no fetch of keys is in progress.
func (a *Authenticator) WaitForKeys() { a.keys.Wait() }

// Generation is the generation of the known keys; 0: there are none.
func (a *Authenticator) Generation() uint64 {
	if s := a.keys.Current(); s != nil {
		return s.Generation
	}
	return 0
}
