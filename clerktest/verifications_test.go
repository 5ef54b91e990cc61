package clerktest_test

import (
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestVerifyingAgainMakesTheFactorsYoung(t *testing.T) {
	halfPast := noon.Add(-30 * time.Minute)
	one := clerktest.Person{Claims: clerktest.Claims{FirstFactorAt: halfPast}}
	two := clerktest.Person{Claims: clerktest.Claims{FirstFactorAt: halfPast, SecondFactorAt: halfPast}}
	for _, tt := range []struct {
		name, level string
		person      clerktest.Person
		steps       []string // the factors, in turn
		want        []any
	}{
		{"first", "first_factor", one, []string{"first"}, []any{0.0, -1.0}},
		{"first of two", "first_factor", two, []string{"first"}, []any{0.0, 30.0}},
		{"second", "second_factor", two, []string{"second"}, []any{30.0, 0.0}},
		{"second without one", "second_factor", one, []string{"first"}, []any{0.0, -1.0}},
		{"both", "multi_factor", two, []string{"first", "second"}, []any{0.0, 0.0}},
		{"both without a second", "multi_factor", one, []string{"first"}, []any{0.0, -1.0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := noon
			in := development(t, func(o *clerktest.Options) { o.Now = func() time.Time { return at } })
			p := openPage(t, in, localhost)
			id := p.signIn(tt.person)
			path := "/v1/client/sessions/" + id + "/verify"
			v, _ := p.must(p.post(path, url.Values{"level": {tt.level}}))
			for i, factor := range tt.steps {
				if v.Status != "needs_"+factor+"_factor" || factor == "first" && len(v.Factors) == 0 || factor == "second" && len(v.Seconds) == 0 {
					t.Fatalf("step %d: got %+v, want needs_%s_factor with its factors", i, v, factor)
				}
				p.must(p.post(path+"/prepare_"+factor+"_factor", url.Values{"strategy": {"email_code"}}))
				p.refused(p.post(path+"/attempt_"+factor+"_factor", url.Values{"code": {"000000"}}), 422, "form_code_incorrect")
				v, _ = p.must(p.post(path+"/attempt_"+factor+"_factor", url.Values{"code": {"424242"}}))
			}
			if v.Status != "complete" {
				t.Errorf("the verification ends as %+v, want complete", v)
			}
			if got := p.mint(id, nil)["fva"]; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("fva %v, want %v", got, tt.want)
			}
			at = at.Add(7 * time.Minute)
			if got := p.mint(id, nil)["fva"].([]any); tt.want[0] == 0.0 && got[0] != 7.0 {
				t.Errorf("seven minutes later fva is %v, want 7 first", got)
			}
			p.refused(p.post(path+"/attempt_first_factor", url.Values{"code": {"424242"}}), http.StatusNotFound, "resource_not_found")
		})
	}
}

func TestVerifyingNeedsTheCode(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	id := p.signIn(clerktest.Person{Claims: clerktest.Claims{FirstFactorAt: time.Now().Add(-time.Hour)}})
	path := "/v1/client/sessions/" + id + "/verify"
	right := url.Values{"code": {"424242"}}
	p.refused(p.post(path, nil), 422, "form_param_value_invalid")
	p.refused(p.post(path+"/attempt_first_factor", right), 404, "resource_not_found") // none has been started
	p.must(p.post(path, url.Values{"level": {"first_factor"}}))
	p.refused(p.post(path+"/attempt_first_factor", right), 422, "form_code_incorrect") // it was not sent
	p.refused(p.post(path+"/attempt_second_factor", right), 404, "resource_not_found") // it is not required
	p.refused(p.post(path+"/guess_first_factor", right), 404, "resource_not_found")
	if got := p.mint(id, nil)["fva"].([]any); got[0] != 60.0 {
		t.Errorf("fva is %v without the code, want 60 first", got)
	}
	p.must(p.post(path+"/prepare_first_factor", nil))
	p.must(p.post(path+"/attempt_first_factor", right))
	in.BrowserSessions()[0].SetClaims(clerktest.Claims{FirstFactorAt: time.Now().Add(-2 * time.Hour)})
	if got := p.mint(id, nil)["fva"].([]any); got[0] != 120.0 {
		t.Errorf("fva %v, want what SetClaims says", got)
	}
}
