package clerktest

import (
	"crypto/rand"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth"
)

// Claims are the contents of a token. The zero Claims is a valid token as Clerk mints it now for a person who is signed
// in at the first of the Origins, with no organization active. The fields follow clerkauth.Session; use Header, Extra,
// RawHeader and RawPayload for everything else.
//
// The claims are those of https://clerk.com/docs/guides/sessions/session-tokens.
type Claims struct {
	Subject         string    // sub; empty: "user_2clerktest"
	SessionID       string    // sid; empty: "sess_2clerktest"
	AuthorizedParty string    // azp; empty: the first of the Origins, or none if there are none
	Issuer          string    // iss; empty: the instance's Issuer
	Audience        []string  // aud; empty: none
	IssuedAt        time.Time // iat; zero: Options.TokenLifetime before ExpiresAt, or now if that is zero too
	NotBefore       time.Time // nbf; zero: 10 s before IssuedAt
	ExpiresAt       time.Time // exp; zero: Options.TokenLifetime after IssuedAt
	Pending         bool      // sts "pending" instead of "active": the session still has a task to complete

	// FirstFactorAt and SecondFactorAt are when the factors were verified; zero, or after IssuedAt: never. The claim fva
	// counts the whole minutes from then until IssuedAt.
	FirstFactorAt, SecondFactorAt time.Time

	Organization clerkauth.Organization // o, or org_…; the role with or without "org:"; without an ID: none is active
	Permissions  []string               // of the Organization: "org:invoices:create"; its feature is added to Features; left out without an Organization
	Features     []string               // fea, as tokens spell it: "o:invoices", "u:search", "uo:export"; not in version 1
	Plans        []string               // pla, as tokens spell it: "u:free", "o:pro"; not in version 1
	Actor        clerkauth.Actor        // act: who impersonates the user; zero: nobody

	// Version of the claims, 1 or 2; 0: 2.
	Version int

	Header map[string]any // overrides the header: alg (with which the token is then signed, see Token), kid, typ, cat, …
	Extra  map[string]any // overrides the payload: any claim with any value

	RawHeader  []byte // replaces the header, byte for byte; nil: it does not
	RawPayload []byte // replaces the payload, byte for byte; nil: it does not
}

type absent struct{}

// Absent removes a member, as its value in Header or Extra.
var Absent absent

// allowance is how long before iat Clerk sets nbf, for servers whose clocks are slow.
const allowance = 10 * time.Second

const defaultSubject = "user_2clerktest"

// header is the JOSE header of filled claims. oiat is when the claims were read, which scripts compare; here it is iat.
func (c Claims) header(kid string) []byte {
	if c.RawHeader != nil {
		return c.RawHeader
	}
	return encode(merge(map[string]any{"alg": "RS256", "cat": "cl_B7d4PD111AAA", "kid": kid, "oiat": c.IssuedAt.Unix(), "typ": "JWT"}, c.Header))
}

// payload is the claims set of filled claims.
func (c Claims) payload() []byte {
	if c.RawPayload != nil {
		return c.RawPayload
	}
	id := make([]byte, 12)
	_, _ = rand.Read(id) // never fails
	claims := map[string]any{
		"exp": c.ExpiresAt.Unix(),
		"fva": c.factorAges(c.IssuedAt),
		"iat": c.IssuedAt.Unix(),
		"iss": c.Issuer,
		"jti": fmt.Sprintf("%x", id),
		"nbf": c.NotBefore.Unix(),
		"sid": c.SessionID,
		"sts": "active",
		"sub": c.Subject,
	}
	if c.AuthorizedParty != "" {
		claims["azp"] = c.AuthorizedParty
	}
	if len(c.Audience) > 0 {
		claims["aud"] = c.Audience
	}
	if c.Pending {
		claims["sts"] = "pending"
	}
	if c.Actor != (clerkauth.Actor{}) {
		claims["act"] = map[string]any{
			"iss": "https://dashboard.clerk.com", "sid": c.Actor.SessionID, "sub": c.Actor.Subject,
		}
	}
	if c.Version == 1 {
		maps.Copy(claims, c.version1())
	} else {
		maps.Copy(claims, c.version2())
	}
	return encode(merge(claims, c.Extra))
}

// filled is c with its defaults in place of zero fields.
func (c Claims) filled(in *Instance) Claims {
	if c.Subject == "" {
		c.Subject = defaultSubject
	}
	if c.SessionID == "" {
		c.SessionID = "sess_2clerktest"
	}
	if c.AuthorizedParty == "" && len(in.origins) > 0 {
		c.AuthorizedParty = in.origins[0]
	}
	if c.Issuer == "" {
		c.Issuer = in.Issuer()
	}
	switch {
	case !c.IssuedAt.IsZero():
	case !c.ExpiresAt.IsZero():
		c.IssuedAt = c.ExpiresAt.Add(-in.lifetime)
	default:
		c.IssuedAt = in.now()
	}
	if c.NotBefore.IsZero() {
		c.NotBefore = c.IssuedAt.Add(-allowance)
	}
	if c.ExpiresAt.IsZero() {
		c.ExpiresAt = c.IssuedAt.Add(in.lifetime)
	}
	return c
}

// factorAges are the minutes since the factors were verified; -1: never.
func (c Claims) factorAges(now time.Time) [2]int64 {
	fva := [2]int64{-1, -1}
	for i, at := range []time.Time{c.FirstFactorAt, c.SecondFactorAt} {
		if age := now.Unix() - at.Unix(); !at.IsZero() && age >= 0 {
			fva[i] = age / 60
		}
	}
	return fva
}

func (c Claims) version1() map[string]any {
	claims := map[string]any{}
	if c.Organization == (clerkauth.Organization{}) {
		return claims
	}
	o := c.Organization
	if o.Role != "" {
		o.Role = "org:" + strings.TrimPrefix(o.Role, "org:")
	}
	put(claims, "org_id", o.ID)
	put(claims, "org_slug", o.Slug)
	put(claims, "org_role", o.Role)
	claims["org_permissions"] = append([]string{}, c.Permissions...)
	return claims
}

func (c Claims) version2() map[string]any {
	claims := map[string]any{"v": 2}
	features := slices.Clone(c.Features)
	if c.Organization != (clerkauth.Organization{}) {
		o := map[string]any{}
		put(o, "id", c.Organization.ID)
		put(o, "slg", c.Organization.Slug)
		put(o, "rol", strings.TrimPrefix(c.Organization.Role, "org:"))
		var names, masks string
		features, names, masks = permissionMap(features, c.Permissions)
		put(o, "per", names)
		put(o, "fpm", masks)
		claims["o"] = o
	}
	put(claims, "fea", strings.Join(features, ","))
	put(claims, "pla", strings.Join(c.Plans, ","))
	return claims
}

// permissionMap encodes permissions as version 2 does: names lists each permission once, and masks has a number for each
// feature of the organization, whose lowest bit stands for the first name. Some parsers count only the organization's
// features and others count all of them, so the organization's are put first.
func permissionMap(features, permissions []string) (all []string, names, masks string) {
	var per, fpm []string
	for _, p := range permissions {
		feature, name := splitPermission(p)
		if !slices.ContainsFunc(features, func(f string) bool { return ofOrganization(f) == feature }) {
			features = append(features, "o:"+feature)
		}
		if !slices.Contains(per, name) {
			per = append(per, name)
		}
	}
	slices.SortStableFunc(features, func(a, b string) int { return rankOf(a) - rankOf(b) })
	if len(per) == 0 {
		return features, "", ""
	}
	for _, f := range features {
		feature := ofOrganization(f)
		if feature == "" {
			continue
		}
		mask := new(big.Int)
		for bit, name := range per {
			if slices.Contains(permissions, "org:"+feature+":"+name) {
				mask.SetBit(mask, bit, 1)
			}
		}
		fpm = append(fpm, mask.String())
	}
	return features, strings.Join(per, ","), strings.Join(fpm, ",")
}

// rankOf puts the organization's features before the user's.
func rankOf(feature string) int {
	if ofOrganization(feature) == "" {
		return 1
	}
	return 0
}

// splitPermission panics on a permission that version 2 cannot encode; use Extra for those.
func splitPermission(p string) (feature, name string) {
	rest, ok := strings.CutPrefix(p, "org:")
	i := strings.LastIndexByte(rest, ':')
	if !ok || i <= 0 || i == len(rest)-1 {
		panic("clerktest: permission " + p + " is not org:<feature>:<permission>")
	}
	return rest[:i], rest[i+1:]
}

// ofOrganization is the name of a feature that the organization has; empty if only the user has it.
func ofOrganization(feature string) string {
	switch scope, name, _ := strings.Cut(feature, ":"); scope {
	case "o", "ou", "uo":
		return name
	}
	return ""
}

// put sets a claim unless it is empty, as Clerk does.
func put(claims map[string]any, name, value string) {
	if value != "" {
		claims[name] = value
	}
}

func merge(base, over map[string]any) map[string]any {
	for name, value := range over {
		if _, out := value.(absent); out {
			delete(base, name)
			continue
		}
		base[name] = value
	}
	return base
}
