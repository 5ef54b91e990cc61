package clerktest

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"
)

// People sign in, and verify again, with a code sent by e-mail: here always the same.
const testCode = "424242"

const ticketLifetime = 30 * 24 * time.Hour

// Ticket returns a token with which a browser can sign a person in, once: signIn.create({strategy: "ticket", ticket}) in
// Clerk's scripts. It is valid for thirty days. See
// https://clerk.com/docs/guides/development/custom-flows/authentication/embedded-email-links.
func (in *Instance) Ticket(p Person) string { return in.ticket(p, ticketLifetime) }

func (in *Instance) ticket(p Person, lasts time.Duration) string {
	ticket := "ticket_" + rand.Text()
	in.browsers.keep(ticket, waiting{ticket: &p, until: in.now().Add(lasts)}, in.now())
	return ticket
}

// signIn is a sign-in that has been started. It is never modified.
type signIn struct {
	id       string
	person   *Person // nil: not known yet
	prepared bool    // the code was sent
}

func (b *browsers) signInOf(of *browser) *signIn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return of.signIn
}

func (b *browsers) setSignIn(of *browser, to *signIn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of.signIn = to
}

func (in *Instance) startSignIn(w http.ResponseWriter, r *http.Request, b *browser) {
	f := form(r)
	attempt := &signIn{id: "sia_" + rand.Text()}
	identifier := f.Get("identifier")
	switch strategy := f.Get("strategy"); {
	case strategy == "ticket":
		p := in.browsers.take(f.Get("ticket"), in.now()).ticket
		if p == nil {
			refuse(w, http.StatusUnprocessableEntity, "sign_in_token_cannot_be_used", "The ticket is unknown, used or too old.")
			return
		}
		attempt.person = p
		in.completeSignIn(w, r, b, attempt)
		return
	case strategy != "" && strategy != "email_code":
		refuse(w, http.StatusUnprocessableEntity, "strategy_for_user_invalid", "clerktest signs people in by ticket or email_code, not by "+strategy+".")
		return
	case identifier != "":
		p, ok := in.people.find(func(p Person) bool { return strings.EqualFold(p.email(), identifier) })
		if !ok {
			refuse(w, http.StatusUnprocessableEntity, "form_identifier_not_found", "Couldn't find your account.")
			return
		}
		attempt.person, attempt.prepared = &p, strategy == "email_code"
	}
	in.browsers.setSignIn(b, attempt)
	in.respond(w, r, b, in.describeSignIn(attempt, ""))
}

func (in *Instance) continueSignIn(w http.ResponseWriter, r *http.Request, b *browser) {
	attempt, step := in.browsers.signInOf(b), r.PathValue("step")
	if attempt == nil || attempt.id != r.PathValue("id") || attempt.person == nil && step != "" {
		refuse(w, http.StatusNotFound, "resource_not_found", "The browser has not started such a sign-in.")
		return
	}
	switch step {
	case "":
	case "prepare_first_factor":
		prepared := *attempt
		prepared.prepared, attempt = true, &prepared
		in.browsers.setSignIn(b, attempt)
	case "attempt_first_factor":
		if !attempt.prepared || form(r).Get("code") != testCode {
			refuseCode(w)
			return
		}
		in.completeSignIn(w, r, b, attempt)
		return
	default:
		refuseStep(w, r)
		return
	}
	in.respond(w, r, b, in.describeSignIn(attempt, ""))
}

func refuseCode(w http.ResponseWriter) {
	refuse(w, http.StatusUnprocessableEntity, "form_code_incorrect", "Incorrect code: it is always "+testCode+", once it is sent.")
}

func refuseStep(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, "resource_not_found", "clerktest has no endpoint "+r.Method+" "+r.URL.Path)
}

func (in *Instance) completeSignIn(w http.ResponseWriter, r *http.Request, b *browser, attempt *signIn) {
	s := in.begin(b, *attempt.person)
	in.respond(w, r, b, in.describeSignIn(attempt, s.ID))
}

// describeSignIn describes a sign-in to scripts; with a session's ID it is complete.
func (in *Instance) describeSignIn(a *signIn, session string) object {
	o := object{
		"object": "sign_in", "id": a.id, "status": "needs_identifier", "created_session_id": orNull(session), "identifier": nil, "user_data": nil,
		"supported_identifiers": []string{"email_address"}, "supported_first_factors": []object{}, "supported_second_factors": nil,
		"first_factor_verification": nil, "second_factor_verification": nil,
	}
	if a.person == nil {
		return o
	}
	o["status"], o["identifier"], o["user_data"] = "needs_first_factor", a.person.email(), publicData(*a.person)
	o["supported_first_factors"] = firstFactors(*a.person)
	switch {
	case session != "":
		o["status"], o["first_factor_verification"] = "complete", verified("email_code")
	case a.prepared:
		o["first_factor_verification"] = in.unverified("email_code")
	}
	return o
}

func firstFactors(p Person) []object {
	return []object{{"strategy": "email_code", "email_address_id": p.emailID(), "safe_identifier": p.email(), "primary": true}}
}

func verified(strategy string) object {
	return object{"object": "verification", "status": "verified", "strategy": strategy, "attempts": 1, "expire_at": nil}
}

const codeLifetime = 10 * time.Minute

func (in *Instance) unverified(strategy string) object {
	return object{
		"object": "verification", "status": "unverified", "strategy": strategy, "attempts": 0,
		"expire_at": in.now().Add(codeLifetime).UnixMilli(),
	}
}
