package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/bench"
)

func (d document) answerTable(b *strings.Builder) {
	fmt.Fprintf(b, "## Answers\n\nWhat each answers to one token, told to trust one issuer and one `azp`, with defaults for everything else. 204 is the\n"+
		"application. **Bold** is not what an application wants that trusts one origin of one Clerk instance.\n\n")
	columns := []string{"token"}
	var guards []bench.Guard
	for _, g := range d.guards {
		if g.Kind == bench.Peer || g.Name == ownName {
			guards = append(guards, g)
			columns = append(columns, g.Name)
		}
	}
	head(b, columns...)
	for _, a := range d.answers {
		cells := []string{a.question.Name}
		for _, g := range guards {
			text := fmt.Sprint(a.codes[g.Name])
			if (a.codes[g.Name] == http.StatusNoContent) != a.question.Admit {
				text = "**" + text + "**"
			}
			cells = append(cells, text)
		}
		line(b, cells...)
	}
	fmt.Fprintln(b)
}

func (d document) faultTables(b *strings.Builder) {
	if len(d.faults) == 0 {
		return
	}
	fmt.Fprintf(b, "## Faults\n\nClients give up after 10 s. A lifetime is how long fetched keys are fresh: where a fault is about it, 1 s (4 s when the\n"+
		"key server takes 2 s) for libraries that can be told, and for clerk-sdk-go and clerkauth their own, with the clock moved; elsewhere what the\n"+
		"documentation proposes. `-`: the library does not fetch keys.\n\n")
	for _, row := range d.faults {
		fmt.Fprintf(b, "### %s\n\n%s\n\n", capital(row.fault.Name), capital(row.fault.Note)+".")
		head(b, append([]string{""}, row.fault.Columns...)...)
		for _, g := range bench.FaultGuards() {
			cells := []string{g.Name}
			for _, cell := range row.cells[g.Name] {
				cells = append(cells, cell.Text)
			}
			line(b, cells...)
		}
		fmt.Fprintln(b)
	}
}
