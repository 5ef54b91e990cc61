package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// lab presses a button of the page.
func lab(t *testing.T, client *http.Client, a *app, name string) (int, exchange) {
	t.Helper()
	resp := send(t, client, http.MethodPost, a.base+"/lab/"+name, http.Header{"Origin": {a.base}}, nil)
	var x exchange
	if resp.status != http.StatusNotFound {
		if err := json.Unmarshal([]byte(resp.body), &x); err != nil {
			t.Fatalf("/lab/%s: %v", name, err)
		}
	}
	return resp.status, x
}

func TestLabShowsStatusReasonAndHeaders(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	for _, trial := range a.trials {
		status, x := lab(t, http.DefaultClient, a, trial.Name)
		if status != http.StatusOK || x.answer != trial.Want || x.Want != trial.Want {
			t.Errorf("%s: %d, answer %v, want %v", trial.Name, status, x.answer, trial.Want)
		}
		if !slices.ContainsFunc(x.Header, func(l string) bool { return strings.HasPrefix(l, "Content-Type: ") }) || x.Body == "" {
			t.Errorf("%s: got the header %q and the body %q, want a Content-Type and a body", trial.Name, x.Header, x.Body)
		}
		if got, want := x.Request[0], trial.method+" "+trial.path; got != want {
			t.Errorf("%s: the request shown is %q, want %q", trial.Name, got, want)
		}
		if strings.Contains(strings.Join(x.Request, "\n")+strings.Join(x.Header, "\n"), "eyJ") {
			t.Errorf("%s: shows a token: %q", trial.Name, x.Request)
		}
	}
	if got := a.waves.Load(); got != 1 {
		t.Errorf("%d waves, want the one of this origin", got)
	}
	if status, _ := lab(t, http.DefaultClient, a, "unknown"); status != http.StatusNotFound {
		t.Errorf("an unknown button: got %d, want 404", status)
	}
}

func TestLabSendsOnBehalfOfTheVisitor(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	client, cleo := a.clerk.Browser(a.routes()), people[2]
	a.clerk.SignIn(client.Jar, cleo)
	send(t, client, http.MethodGet, a.base+"/", nil, nil)
	if _, x := lab(t, client, a, "valid"); !strings.Contains(x.Body, cleo.Claims.Subject) {
		t.Errorf("signed in, the valid call gets %s, want %s in it", x.Body, cleo.Claims.Subject)
	}
	if _, x := lab(t, http.DefaultClient, a, "valid"); !strings.Contains(x.Body, people[0].Claims.Subject) {
		t.Errorf("signed out, the valid call gets %s, want %s in it", x.Body, people[0].Claims.Subject)
	}
}

func TestTokensOfTheLab(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	for _, trial := range a.trials {
		resp := get(t, a.base+"/lab/"+trial.Name+"/token")
		if trial.mint == nil {
			if resp.status != http.StatusNotFound {
				t.Errorf("%s: got %d, want 404", trial.Name, resp.status)
			}
			continue
		}
		if trial.cookies { // nothing to be sent in a header
			continue
		}
		_, err := a.auth.VerifyToken(t.Context(), strings.TrimSpace(resp.body))
		if trial.path == "/machine" {
			_, err = a.auth.VerifyMachine(t.Context(), strings.TrimSpace(resp.body), clerkauth.APIKeys("lab:read"))
		}
		refusal, refusedIt := err.(*clerkauth.Error) //nolint:errorlint // VerifyToken's error is always an *Error
		if honest := trial.Want.Reason == ""; honest == refusedIt || refusedIt && refusal.Reason != trial.Want.Reason {
			t.Errorf("%s: its token: got %v, want %v", trial.Name, err, trial.Want)
		}
	}
}
