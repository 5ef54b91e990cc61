package main

import (
	"fmt"
	"strings"
)

// step is a step of a request, and how a request is refused there.
type step struct{ title, text, exit string }

var steps = []step{
	{"Which token?", "a bearer token, or else Clerk's cookies", "401  no token"},
	{"Is it genuine?", "kind and signature, by the instance's cached keys", "401  forged; 503  no keys"},
	{"For whom?", "azp is in AuthorizedParties, iss is your instance", "401  another site's token"},
	{"Is it time?", "exp, nbf, iat; a cookie that expired is renewed", "307  to Clerk and back"},
	{"Who sent it?", "a write by cookie comes from your own pages", "403  another site's form"},
	{"May they?", "the session's role, permission, plan: Authorize", "403  not allowed"},
}

// Measures in pixels.
const (
	width     = 800
	boxLeft   = 150
	boxWidth  = 370
	boxHeight = 46
	gap       = 16
	top       = 16
)

const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.end { font-weight: 600; font-size: 14px; fill: #fff }
.note { fill: #59636e }
.box { fill: #f6f8fa; stroke: #d1d9e0 } .own { fill: #4338ca }
.line { stroke: #59636e; fill: none } .head { fill: #59636e }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .note { fill: #9198a1 } .end { fill: #16161f }
.box { fill: #151b23; stroke: #3d444d } .own { fill: #a5b4fc } .line { stroke: #9198a1 } .head { fill: #9198a1 }
}
</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>
`

// request draws the steps of a request through the middleware.
func request() string {
	var b strings.Builder
	y := top
	end := func(text string) {
		fmt.Fprintf(&b, `<rect class="own" x="%d" y="%d" width="%d" height="34" rx="17"/>`+"\n", boxLeft, y, boxWidth)
		fmt.Fprintf(&b, `<text class="end" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", boxLeft+boxWidth/2, y+22, text)
		y += 34
	}
	down := func() {
		fmt.Fprintf(&b, `<path class="line" d="M%d %dv%d" marker-end="url(#arrow)"/>`+"\n", boxLeft+boxWidth/2, y, gap)
		y += gap
	}
	end("A request")
	for _, s := range steps {
		down()
		fmt.Fprintf(&b, `<rect class="box" x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n", boxLeft, y, boxWidth, boxHeight)
		fmt.Fprintf(&b, `<text class="title" x="%d" y="%d">%s</text>`+"\n", boxLeft+14, y+19, s.title)
		fmt.Fprintf(&b, `<text class="note" x="%d" y="%d">%s</text>`+"\n", boxLeft+14, y+37, s.text)
		fmt.Fprintf(&b, `<path class="line" d="M%d %dh28" marker-end="url(#arrow)"/>`+"\n", boxLeft+boxWidth, y+boxHeight/2)
		fmt.Fprintf(&b, `<text class="note" x="%d" y="%d">%s</text>`+"\n", boxLeft+boxWidth+36, y+boxHeight/2+4, s.exit)
		y += boxHeight
	}
	down()
	end("Your handler: who is signed in?")
	y += 24
	fmt.Fprintf(&b, `<text class="note" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", width/2, y,
		"Require and Authorize refuse at the right. Optional sends nobody away but to Clerk: the handler runs, signed out.")
	height := y + top
	const label = "A request on its way through the middleware to your handler, and where it is refused"
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, label) + style + b.String() + "</svg>\n"
}
