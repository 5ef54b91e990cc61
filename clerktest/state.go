package clerktest

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"

	"github.com/clerkauth/clerkauth/internal/offline"
)

// state is what the instance has besides its Options.
func (in *Instance) state() offline.State {
	s := offline.State{SecretKey: in.secretKey, Keys: in.keys.save()}
	for _, p := range in.people.all()[in.people.given:] {
		s.People = append(s.People, offline.Person{ID: p.id(), Name: p.Name, Email: p.Email})
	}
	s.APIKeys = in.machines.save()
	in.browsers.mu.Lock()
	defer in.browsers.mu.Unlock()
	for _, b := range in.browsers.all {
		kept := offline.Browser{Cookie: b.cookie, Token: b.token}
		if live := b.session; live != nil {
			kept.Session = &offline.Session{
				ID: live.ID, Person: live.person.id(), Organization: live.claims.Organization.ID,
				Since: live.since, Verified: live.verified, Refresh: live.refresh,
			}
		}
		s.Browsers = append(s.Browsers, kept)
	}
	return s
}

// restore brings a new instance to a saved state. Sessions of people who no longer exist are dropped.
func (in *Instance) restore(s offline.State) error {
	if s.SecretKey != "" {
		in.secretKey = s.SecretKey
	}
	if err := in.keys.restore(s.Keys); err != nil {
		return err
	}
	for _, p := range s.People {
		in.people.add(Person{Name: p.Name, Email: p.Email, Claims: Claims{Subject: p.ID}})
	}
	in.machines.restore(s.APIKeys)
	for _, kept := range s.Browsers {
		b := &browser{cookie: kept.Cookie, token: kept.Token}
		if was := kept.Session; was != nil {
			if p, ok := in.person(was.Person); ok {
				claims, _ := p.in(p.Claims, was.Organization) // no longer a member: as after signing in
				b.session = &BrowserSession{
					ID: was.ID, in: in, browser: b, person: p, since: was.Since, claims: claims, verified: was.Verified, refresh: was.Refresh,
				}
			}
		}
		in.browsers.add(b)
	}
	return nil
}

// save returns the API keys. Other credentials are used in one test only.
func (m *machines) save() []offline.APIKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []offline.APIKey
	for _, secret := range slices.Sorted(maps.Keys(m.all)) {
		if k := m.all[secret]; k.kind == apiKey {
			c := k.claims
			keys = append(keys, offline.APIKey{
				Secret: secret, ID: c.ID, Name: c.Name, Subject: c.Subject, Scopes: c.Scopes, Claims: c.Claims,
				Issued: c.IssuedAt, Expires: c.ExpiresAt, Ended: k.revoked || k.expired,
			})
		}
	}
	return keys
}

// restore adds saved API keys.
func (m *machines) restore(keys []offline.APIKey) {
	for _, k := range keys {
		m.add(k.Secret, &credential{kind: apiKey, revoked: k.Ended, claims: MachineClaims{
			ID: k.ID, Name: k.Name, Subject: k.Subject, Scopes: k.Scopes, Claims: k.Claims, IssuedAt: k.Issued, ExpiresAt: k.Expires,
		}})
	}
}

// save returns the published keys. A revoked key is not saved, even if it is the current one.
func (r *keyRing) save() []offline.Key {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]offline.Key, 0, len(r.published))
	for _, k := range r.published {
		der, err := x509.MarshalPKCS8PrivateKey(k.private)
		if err != nil {
			panic(fmt.Sprintf("clerktest: RSA private key: %v", err)) // cannot happen: the key is the instance's own
		}
		keys = append(keys, offline.Key{ID: k.kid, PKCS8: der})
	}
	return keys
}

// restore publishes saved keys; the first signs.
func (r *keyRing) restore(keys []offline.Key) error {
	for _, k := range keys {
		parsed, err := x509.ParsePKCS8PrivateKey(k.PKCS8)
		if err != nil {
			return fmt.Errorf("key %s: %w", k.ID, err)
		}
		private, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return fmt.Errorf("key %s is not an RSA key", k.ID)
		}
		r.published = append(r.published, signingKey{kid: k.ID, private: private})
	}
	if len(r.published) > 0 {
		r.current = r.published[0]
	}
	return nil
}
