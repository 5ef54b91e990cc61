package clerktest

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// verification has been started in a session to prove that it is still the same person. It is never modified.
type verification struct {
	id       string
	level    string  // first_factor, second_factor or multi_factor
	needs    [2]bool // the factors still to be verified
	prepared [2]bool // the codes that were sent
}

// hasSecondFactor reports whether the claims of the person have a second factor.
func (p Person) hasSecondFactor() bool {
	return !p.Claims.SecondFactorAt.IsZero()
}

func (in *Instance) startVerification(w http.ResponseWriter, r *http.Request, s *BrowserSession) {
	v := &verification{id: "sver_" + rand.Text(), level: form(r).Get("level")}
	switch second := s.person.hasSecondFactor(); v.level {
	case "first_factor":
		v.needs = [2]bool{true, false}
	case "second_factor":
		v.needs = [2]bool{!second, second} // without a second factor, the first is verified
	case "multi_factor":
		v.needs = [2]bool{true, second}
	default:
		refuse(w, http.StatusUnprocessableEntity, "form_param_value_invalid", "level is first_factor, second_factor or multi_factor.")
		return
	}
	s.verify(v)
	in.respond(w, r, s.browser, in.describeVerification(s, v, r))
}

func (in *Instance) continueVerification(w http.ResponseWriter, r *http.Request, s *BrowserSession) {
	step, name, ok := strings.Cut(r.PathValue("step"), "_")
	factor := map[string]int{"first_factor": 1, "second_factor": 2}[name] - 1
	if !ok || factor < 0 || step != "prepare" && step != "attempt" {
		refuseStep(w, r)
		return
	}
	in.browsers.mu.Lock()
	v := s.verification
	in.browsers.mu.Unlock()
	if v == nil || !v.needs[factor] {
		refuse(w, http.StatusNotFound, "resource_not_found", "The session has not started such a verification.")
		return
	}
	next := *v
	switch {
	case step == "prepare":
		next.prepared[factor] = true
	// The code of an authenticator app needs no sending.
	case !v.prepared[factor] && factor == 0, form(r).Get("code") != testCode:
		refuseCode(w)
		return
	default:
		next.needs[factor] = false
		s.passFactor(factor)
	}
	s.verify(&next)
	in.respond(w, r, s.browser, in.describeVerification(s, &next, r))
}

// verify stores a started verification, until it needs nothing more.
func (s *BrowserSession) verify(v *verification) {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	if s.verification = v; v.needs == [2]bool{} {
		s.verification = nil
	}
}

// passFactor makes the session's tokens say that a factor was verified now.
func (s *BrowserSession) passFactor(factor int) {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	s.verified[factor] = s.in.now()
}

func (in *Instance) describeVerification(s *BrowserSession, v *verification, r *http.Request) object {
	o := object{
		"object": "session_reverification", "id": v.id, "level": v.level, "status": "complete", "session": in.describeSession(s, r),
		"supported_first_factors": nil, "supported_second_factors": nil, "first_factor_verification": nil, "second_factor_verification": nil,
	}
	if v.prepared[0] {
		o["first_factor_verification"] = in.unverified("email_code")
	}
	switch {
	case v.needs[0]:
		o["status"], o["supported_first_factors"] = "needs_first_factor", firstFactors(s.person)
	case v.needs[1]:
		o["status"], o["supported_second_factors"] = "needs_second_factor", []object{{"strategy": "totp"}}
	}
	if !v.needs[0] && v.level != "second_factor" {
		o["first_factor_verification"] = verified("email_code")
	}
	return o
}
