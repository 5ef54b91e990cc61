package main
import ("testing";"net/http")
func TestDbg(t *testing.T){
	ownInstance(t)
	a := serving(t, (*app).routes)
	client := a.clerk.Browser(a.routes())
	p:=send(t, client, http.MethodGet, a.base+"/", nil, nil)
	l:=link(t,p.body,"Sign in")
	t.Log(l, p.status)
	pg:=submit(t,client,l,"user_ada")
	t.Log(pg)
	for _,r:=range a.clerk.Requests(){ t.Log(r.Endpoint,r.Method,r.Path,r.Query)}
}
