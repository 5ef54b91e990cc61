package sessiontoken

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/jwks"
)

// heap is what is reachable now, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // a heap is far smaller than 1<<63
}

// The cache stores the token, its claims and their strings, not the request's header lines, and for no more tokens than
// fit. The test needs no signatures, which would take much longer.
func TestMemoryOfManySessions(t *testing.T) {
	const size, perToken = 1024, 1900 // bytes, of a token of 1010
	const tokens = 5 * size
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	encode := base64.RawURLEncoding.EncodeToString
	head := encode([]byte(`{"alg":"RS256","cat":"cl_B7d4PD111AAA","kid":"ins_2clerktest","typ":"JWT"}`))
	before, last := heap(), ""
	v := New(jwks.Fixed(nil, time.Hour), size, 0)
	for i := range tokens {
		id := fmt.Sprintf("2clerktest%017d", i)
		payload := encode(fmt.Appendf(nil, `{"azp":"https://example.com","exp":%d,"fea":"o:dashboard,o:reports","fva":[3,-1],"iat":%d,"iss":"https://clerk.example.com",`+
			`"jti":"%020x","aud":["api"],"nbf":%d,"o":{"fpm":"1,3","id":"org_%s","per":"read,manage","rol":"admin","slg":"acme"},"pla":"o:team",`+
			`"sid":"sess_%s","sts":"active","sub":"user_%s","v":2}`, now.Unix()+60, now.Unix(), i, now.Unix()-10, id, id, id))
		lines := strings.Repeat("Accept: text/html\r\n", 500) + head + "." + payload + "." + encode(fmt.Appendf(nil, "%0256d", i))
		last = lines[strings.LastIndexByte(lines, '\n')+1:]
		read := parse(last, MaxSize)
		if read.Reason != "" {
			t.Fatalf("token %d: got %s, want none", i, read.Reason)
		}
		read.Claims.expand(read.jws.members)
		v.remember(&read, &jwks.Snapshot{Generation: 1}, now)
	}
	if _, ok := v.cache.Get(last, 1, now); !ok {
		t.Error("the last token is not remembered")
	}
	grown := heap() - before - int64(len(last))
	t.Logf("%d bytes for each of %d sessions, of tokens of %d", grown/size, size, len(last))
	if grown > size*perToken {
		t.Errorf("after %d tokens the heap has grown by %d bytes, want at most %d for each of %d", tokens, grown, perToken, size)
	}
	if least := int64(size * len(last)); grown < least {
		t.Errorf("the heap has grown by %d bytes, which %d tokens do not fit into: they were not kept", grown, size)
	}
	runtime.KeepAlive(v)
}
