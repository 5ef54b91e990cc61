package sessiontoken

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// organizationClaims collects the organization, the features and the plans from both versions of Clerk's session claims.
// See https://clerk.com/docs/guides/sessions/session-tokens.
type organizationClaims struct {
	unreadable                 bool // fea is present but not a string
	version                    string
	o, fea, pla                string
	id, slug, role, permission string // version 1
}

func (org *organizationClaims) decode(m jose.Member) {
	switch m.Name {
	case "v":
		org.version = m.Raw
	case "o":
		org.o = m.Raw
	case "fea":
		var ok bool
		org.fea, ok = jose.String(m.Raw)
		org.unreadable = !ok && m.Raw != "null"
	case "pla":
		org.pla, _ = jose.String(m.Raw)
	case "org_id":
		org.id, _ = jose.String(m.Raw)
	case "org_slug":
		org.slug, _ = jose.String(m.Raw)
	case "org_role":
		org.role, _ = jose.String(m.Raw)
	case "org_permissions":
		org.permission = m.Raw
	}
}

// apply writes the collected claims to c. Only version 2 has o; everything else is version 1.
func (org *organizationClaims) apply(c *Claims) {
	c.Features, c.Plans = entries(org.fea), entries(org.pla)
	if version, _ := jose.Integer(org.version); version == 2 {
		org.applyVersion2(c)
		return
	}
	if org.id == "" {
		return
	}
	c.Organization = Organization{ID: org.id, Slug: org.slug, Role: org.role}
	elements, _ := jose.Array(org.permission)
	for _, e := range elements {
		if p, ok := jose.String(e); ok {
			c.Permissions = append(c.Permissions, p)
		}
	}
}

func (org *organizationClaims) applyVersion2(c *Claims) {
	switch org.o {
	case "", "null", "false", "0", `""`:
		return
	}
	// The organization's permissions are in fea, per and fpm together. A token in which one of them has another form is not
	// Clerk's, and is refused: reading a part of the permissions would be a guess.
	c.Unreadable = org.unreadable || org.fea != "" && c.Features == nil
	members, _ := jose.Object(org.o)
	var id, slug, role, names, masks string
	for _, m := range members {
		value, ok := jose.String(m.Raw)
		switch m.Name {
		case "per", "fpm":
			c.Unreadable = c.Unreadable || !ok && m.Raw != "null"
		}
		switch m.Name {
		case "id":
			id = value
		case "slg":
			slug = value
		case "rol":
			role = value
		case "per":
			names = value
		case "fpm":
			masks = value
		}
	}
	if id == "" {
		return
	}
	if role != "" {
		role = "org:" + strings.TrimPrefix(role, "org:")
	}
	c.Organization = Organization{ID: id, Slug: slug, Role: role}
	c.Permissions = expand(c.Features, strings.Split(names, ","), strings.Split(masks, ","))
}

// entries splits a list of features or plans. One with an entry without a scope is not written by Clerk, and grants nothing.
func entries(list string) []string {
	if list == "" {
		return nil
	}
	all := strings.Split(list, ",")
	if slices.ContainsFunc(all, func(entry string) bool { return !strings.Contains(entry, ":") }) {
		return nil
	}
	return all
}

// expand decodes Clerk's compact form of permissions: masks[i] is a bit map over names for the i-th feature of the
// organization. An entry that is not a plain number grants nothing.
func expand(features, names, masks []string) []string {
	var permissions []string
	i := 0
	for _, entry := range features {
		scopes, feature, _ := strings.Cut(strings.TrimSpace(entry), ":")
		if scopes != "o" && scopes != "ou" && scopes != "uo" {
			continue
		}
		if i >= len(masks) {
			break
		}
		mask, ok := bits(strings.TrimSpace(masks[i]))
		i++ // a feature without a name has a mask too
		if !ok || feature == "" {
			continue
		}
		for bit, name := range names {
			if mask.Bit(bit) == 1 && strings.TrimSpace(name) != "" {
				permissions = append(permissions, "org:"+feature+":"+strings.TrimSpace(name))
			}
		}
	}
	return permissions
}

// maxBits is the length of the longest bit map that is read, in digits.
const maxBits = 128

// bits parses a bit map. An organization may have more permissions than an integer has bits.
func bits(s string) (*big.Int, bool) {
	if len(s) > maxBits || strings.Trim(s, "0123456789") != "" {
		return nil, false
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return new(big.Int).SetUint64(n), true // nearly always, and much faster
	}
	return new(big.Int).SetString(s, 10)
}
