package bench

import (
	"crypto/sha1" //nolint:gosec // the suffix of Clerk's cookies is a SHA-1; no check depends on it
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// pairs are the names under which Clerk's script keeps a session: it writes both pairs, and browsers send what is left of
// them.
type pairs int

const (
	unsuffixed pairs = 1 << iota
	suffixed
	both = unsuffixed | suffixed
)

// cookies is the Cookie header of a browser of which token is the session: Clerk's cookies among those of others.
func cookies(token string, p pairs) string {
	all := []string{"_ga=GA1.1.1234567890.1748736000", "theme=dark"}
	uat := strconv.FormatInt(issued.Add(-time.Hour).Unix(), 10)
	for _, name := range []struct {
		of     pairs
		suffix string
	}{{suffixed, "_" + cookieSuffix()}, {unsuffixed, ""}} {
		if p&name.of != 0 {
			all = append(all, "__client_uat"+name.suffix+"="+uat, "__session"+name.suffix+"="+token)
		}
	}
	all = append(all, "clerk_active_context=sess_"+poolID(0)+":org_"+poolID(0), "_ga_BENCH12345=GS2.1.s1748736000$o1$g1$t1748736060$j60$l0$h0")
	return strings.Join(all, "; ")
}

func cookieSuffix() string {
	sum := sha1.Sum([]byte(publishableKey)) //nolint:gosec // as above
	return base64.URLEncoding.EncodeToString(sum[:])[:8]
}

var errNoParty = errors.New("no party cookie is set where a browser has none")

// withParty is cookies with the party cookie that the answer to them sets.
func withParty(h http.Handler, cookies string) (string, error) {
	r := script()
	r.Header.Set("Cookie", cookies)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer := w.Result()
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		if strings.Contains(c.Name, "clerkauth_party") {
			return cookies + "; " + c.Name + "=" + c.Value, nil
		}
	}
	return "", errNoParty
}
