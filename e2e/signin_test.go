package e2e_test

import (
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestFirstVisitLeadsThroughTheSignInPageAndBack(t *testing.T) {
	w := production(t, clerktest.Options{}, nil)
	b := w.open(t)
	b.visit(w.home + "/")
	b.expect("a page for everybody", w.nobody("/"))
	w.signIn(b, "/private?a=1&b=%2F")
	b.visit(w.home + "/")
	b.expect("the other page", w.signedIn("/"))
	b.picture()
}
