package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clerkauth/clerkauth/bench"
)

// The chart's measures, in pixels.
const (
	chartWidth = 800
	labelWidth = 230
	barWidth   = 450 // of the slowest
	rowHeight  = 24
	barHeight  = 15
)

const chartStyle = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.note { fill: #59636e }
.peer { fill: #afb8c1 } .floor { fill: #d8dee4 } .own { fill: #6c47ff }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .note { fill: #9198a1 } .peer { fill: #656c76 } .floor { fill: #3d444d } .own { fill: #9785ff }
}
</style>
`

// chart is one bar a guard, of true length, for a token seen before and one never seen.
func (d document) chart() string {
	var b strings.Builder
	y := 0
	for _, part := range []struct{ load, title string }{
		{bench.SameToken, "A request with a token seen before"},
		{bench.FreshToken, "A request with a token never seen"},
	} {
		y = d.bars(&b, y+30, part.load, part.title)
	}
	fmt.Fprintf(&b, `<text class="note" x="10" y="%d">Time per request, shorter is better. %s, %s, %s.</text>`+"\n",
		y+24, escaped(d.machine.processor), d.machine.goVersion, d.began.UTC().Format("January 2006"))
	height := y + 40
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="Time per request of clerkauth and other libraries">`+"\n",
		chartWidth, height, chartWidth, height) + chartStyle + b.String() + "</svg>\n"
}

func (d document) bars(b *strings.Builder, y int, load, title string) int {
	guards := slices.DeleteFunc(slices.Clone(d.guards), func(g bench.Guard) bool {
		_, ok := d.speed[key{g.Name, load}]
		return !ok || g.Kind == bench.Own && g.Name != ownName
	})
	slices.SortFunc(guards, func(p, q bench.Guard) int {
		return int(d.at(p.Name, load).serial.median - d.at(q.Name, load).serial.median)
	})
	longest := d.at(guards[len(guards)-1].Name, load).serial.median
	fmt.Fprintf(b, `<text class="title" x="10" y="%d">%s</text>`+"\n", y, title)
	y += 12
	for _, g := range guards {
		n := d.at(g.Name, load).serial.median
		class := map[bench.Kind]string{bench.Peer: "peer", bench.Own: "own", bench.Floor: "floor", bench.Open: "floor"}[g.Kind]
		width := max(1, n/longest*barWidth)
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-10, y+12, escaped(g.Name))
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n", class, labelWidth, y, width, barHeight)
		fmt.Fprintf(b, `<text x="%.0f" y="%d">%s</text>`+"\n", labelWidth+width+8, y+12, nanoseconds(n))
		y += rowHeight
	}
	return y
}

func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
