package clerkauth

// ShareKeys makes a verify with the keys of other, so that the two differ in their token caches alone.
func (a *Authenticator) ShareKeys(other *Authenticator) { a.verifier.keys = other.verifier.keys }

// Settle waits until no fetch of keys is under way.
func (a *Authenticator) Settle() { a.verifier.keys.Wait() }
