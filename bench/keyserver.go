package bench

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// KeyServer serves a key set, well or badly. The zero KeyServer serves an empty one at once.
type KeyServer struct {
	fetches atomic.Int64

	mu        sync.Mutex
	document  []byte
	behaviour Behaviour
	delay     time.Duration
}

// Behaviour is how a KeyServer answers.
type Behaviour int

// The behaviours.
const (
	Well    Behaviour = iota
	Down              // 503 at once
	Hanging           // the connection is taken and nothing ever said
)

// Serve sets the keys: kid and key in turn.
func (k *KeyServer) Serve(keys map[string]*rsa.PublicKey) {
	type webKey struct {
		Use       string `json:"use"`
		Type      string `json:"kty"`
		KeyID     string `json:"kid"`
		Algorithm string `json:"alg"`
		N         string `json:"n"`
		E         string `json:"e"`
	}
	var set struct {
		Keys []webKey `json:"keys"`
	}
	for kid, key := range keys {
		set.Keys = append(set.Keys, webKey{
			"sig", "RSA", kid, "RS256",
			base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
			base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		})
	}
	document, err := json.Marshal(set)
	if err != nil {
		panic(err) // strings always marshal
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.document = document
}

// Behave sets how it answers from now on, and after how long.
func (k *KeyServer) Behave(behaviour Behaviour, delay time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.behaviour, k.delay = behaviour, delay
}

// Fetches is how many requests there were since the last call of it.
func (k *KeyServer) Fetches() int { return int(k.fetches.Swap(0)) }

// ServeHTTP answers under any path: guards differ in where they look.
func (k *KeyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.fetches.Add(1)
	k.mu.Lock()
	document, behaviour, delay := k.document, k.behaviour, k.delay
	k.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return
	}
	switch behaviour {
	case Down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case Hanging:
		<-r.Context().Done()
	case Well:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	}
}
