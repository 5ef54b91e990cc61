package bench

import (
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth"
)

// Row is this library, or the floor, before a request that a browser sends.
type Row struct {
	*Contestant

	// Goal is how many times what the floor takes is good enough; 0: none was set.
	Goal float64
	// Allocs and Bytes are the most that one request may allocate.
	Allocs, Bytes float64
}

// The rows that the report refers to.
const (
	FloorRow   = "floor: middleware that only adds a context value"
	BearerRow  = "script, bearer token" //nolint:gosec // a name
	CookiesRow = "script, both cookie pairs, party cookie"
	PageRow    = "page load, both cookie pairs, party cookie"
	NoTokenRow = "script, no token, Optional"
	RefusedRow = "script, no token, Require: 401"
	GarbageRow = "VerifyToken of garbage, no request"
)

// Rows are the requests that browsers send, each under a row's name. The token of each was seen before.
func Rows(c *Course) ([]Row, error) {
	auth, err := clerkauth.New(ownConfig(c.site))
	if err != nil {
		return nil, err
	}
	if err := auth.Ready(c.ctx); err != nil {
		return nil, err
	}
	app := http.HandlerFunc(Handler)
	require, optional := auth.Require(app), auth.Optional(app)
	const ok, refused = http.StatusNoContent, http.StatusUnauthorized
	bearer := func(name string, h http.Handler, want int, request func() *http.Request, token string) *Contestant {
		return contestant(name, RowLoad, h, want, request).sending("Authorization", []string{bearerScheme + token})
	}
	token := c.Pool.Tokens[0]
	known := knownTokens{token: {AuthorizedParty: Party, Expiry: 1 << 40}}
	garbage := strings.Repeat("g", len(token))
	rows := []Row{
		{bearer(FloorRow, contextOnly(app), ok, script, token), 0, 2, 368},
		{bearer(BearerLimit, known.byBearer(app), ok, script, token), 0, 2, 368},
		{contestant(CookiesLimit, RowLoad, known.byCookie(app), ok, script).sending("Cookie", []string{cookies(token, both)}), 0, 2, 368},
		{bearer(BearerRow, require, ok, script, token), 2.5, 1, 576},
		{bearer("write, bearer token", require, ok, write, token), 0, 1, 576},
		{contestant(NoTokenRow, RowLoad, optional, ok, script), 2.5, 2, 704},
		{contestant("page load, no token, Optional", RowLoad, optional, ok, page), 0, 2, 704},
		{contestant(RefusedRow, RowLoad, require, refused, script), 5, 3, 816},
		{contestant("page load, no token, Require: 401", RowLoad, require, refused, page), 0, 4, 2352},
		{bearer("script, bearer garbage, Require: 401", require, refused, script, garbage), 0, 3, 816},
		{contestant(GarbageRow, RowLoad, garbageAlone(c, auth), refused, script), 0, 1, 128},
	}
	cookies, err := cookieRows(c, require)
	return append(rows, cookies...), err
}

// RowLoad is the Load of every row.
const RowLoad = "as browsers send it"

func cookieRows(c *Course, require http.Handler) ([]Row, error) {
	var rows []Row
	for _, q := range []struct {
		name          string
		request       func() *http.Request
		of            pairs
		party         bool
		goal          float64
		allocs, bytes float64
	}{
		{CookiesRow, script, both, true, 4.2, 1, 576},
		{"script, both cookie pairs", script, both, false, 0, 10, 1136},
		{"script, suffixed cookies, party cookie", script, suffixed, true, 0, 1, 576},
		{"script, suffixed cookies", script, suffixed, false, 0, 10, 1136},
		{"script, unsuffixed cookies, party cookie", script, unsuffixed, true, 0, 1, 576},
		{"script, unsuffixed cookies", script, unsuffixed, false, 0, 10, 1136},
		{"write, both cookie pairs, party cookie", write, both, true, 0, 2, 720},
		{PageRow, page, both, true, 5, 1, 576},
		{"page load, both cookie pairs", page, both, false, 0, 10, 1136},
	} {
		line := cookies(c.Pool.Tokens[0], q.of)
		if q.party {
			var err error
			if line, err = withParty(require, line); err != nil {
				return nil, err
			}
		}
		k := contestant(q.name, RowLoad, require, http.StatusNoContent, q.request).sending("Cookie", []string{line})
		rows = append(rows, Row{k, q.goal, q.allocs, q.bytes})
	}
	return rows, nil
}
