package decision

import (
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// A page that goes in circles with a token whose time was forgiven goes in circles because of the clock. Any other token
// that has expired may just be an old one.
func TestCirclesAfterAForgivenClock(t *testing.T) {
	d := decider(t, testKeys)
	date := func(unix int64) sessiontoken.Date { return sessiontoken.Date{State: sessiontoken.Present, Unix: unix} }
	read := sessiontoken.Token{Raw: "forgiven", Claims: &sessiontoken.Claims{
		Sub: "user_1", SID: "sess_1", Iss: issuer, AZP: sessiontoken.Text{State: sessiontoken.Present, Value: appOrigin},
		Iat: date(noon.Unix() - 3600), Exp: date(noon.Unix() - 3540),
	}}
	if got := d.forgiveClock(t.Context(), &read, reasons.TokenExpired, FromHandshake, &inbound.Request{}, noon, true); got != "" {
		t.Fatalf("got %s, want it forgiven", got)
	}
	for raw, want := range map[string]Stuck{"forgiven": ClockOff, "other": InCircles} {
		var e Evidence
		e.chosen().read.Raw = raw
		if got := d.because(InCircles, &e, reasons.TokenExpired, noon); got != want {
			t.Errorf("%s: got %d, want %d", raw, got, want)
		}
	}
}
