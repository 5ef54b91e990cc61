package clerktest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth"
)

// What Clerk's scripts and SDKs read about browsers, sessions, people and organizations.

// directory is the people who can sign in.
type directory struct {
	given  int // how many are from Options
	mu     sync.Mutex
	people []Person
}

func newDirectory(people []Person) *directory {
	if people == nil {
		people = defaultPeople()
	}
	return &directory{given: len(people), people: slices.Clone(people)}
}

func (d *directory) all() []Person {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.people)
}

func (d *directory) add(p Person) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.people = append(d.people, p)
}

// find is the first person who matches.
func (d *directory) find(fits func(Person) bool) (Person, bool) {
	all := d.all()
	i := slices.IndexFunc(all, fits)
	if i < 0 {
		return Person{}, false
	}
	return all[i], true
}

// person is the person with an ID, even if they are known only because they are signed in.
func (in *Instance) person(id string) (Person, bool) {
	if p, ok := in.people.find(func(p Person) bool { return p.id() == id }); ok {
		return p, true
	}
	for _, s := range in.BrowserSessions() {
		if s.person.id() == id {
			return s.person, true
		}
	}
	return Person{}, false
}

func (in *Instance) describeClient(b *browser, r *http.Request) object {
	client := object{
		"object": "client", "id": b.id(), "sessions": []object{}, "sign_in": nil, "sign_up": nil,
		"last_active_session_id": nil, "cookie_expires_at": nil, "created_at": nil, "updated_at": nil,
	}
	if s := in.browsers.session(b); s != nil {
		// Scripts set __client_uat to updated_at: it must not be later than a token's iat.
		client["sessions"], client["last_active_session_id"] = []object{in.describeSession(s, r)}, s.ID
		client["created_at"], client["updated_at"] = s.since.UnixMilli(), s.since.UnixMilli()
	}
	if signIn := in.browsers.signInOf(b); signIn != nil {
		client["sign_in"] = in.describeSignIn(signIn, "")
	}
	return client
}

const (
	sessionLifetime = 7 * 24 * time.Hour
	sessionAbandon  = 30 * 24 * time.Hour
)

// sessionObject describes a session, as both APIs do.
func (in *Instance) sessionObject(s *BrowserSession, c Claims) object {
	o := object{
		"object": "session", "id": s.ID, "status": "active", "client_id": s.browser.id(), "user_id": s.person.id(),
		"last_active_organization_id": nil, "actor": nil, "factor_verification_age": c.factorAges(in.now()),
		"last_active_at": in.now().UnixMilli(), "created_at": s.since.UnixMilli(), "updated_at": s.since.UnixMilli(),
		"expire_at": s.since.Add(sessionLifetime).UnixMilli(), "abandon_at": s.since.Add(sessionAbandon).UnixMilli(),
	}
	if c.Pending {
		o["status"], o["tasks"] = "pending", []object{{"key": "choose-organization"}}
	}
	if c.Organization.ID != "" {
		o["last_active_organization_id"] = c.Organization.ID
	}
	if c.Actor != (clerkauth.Actor{}) {
		o["actor"] = object{"sub": c.Actor.Subject, "sid": c.Actor.SessionID}
	}
	return o
}

func (in *Instance) describeSession(s *BrowserSession, r *http.Request) object {
	c := s.current()
	o := in.sessionObject(s, c)
	o["user"], o["public_user_data"] = in.describeUser(s.person), publicData(s.person)
	o["last_active_token"] = object{"object": "token", "jwt": s.mintFor(r, c)}
	return o
}

// firstLast are the parts of a name.
func (p Person) firstLast() (first, last string) {
	first, last, _ = strings.Cut(p.Name, " ")
	return first, strings.TrimSpace(last)
}

// orNull is s, or null if it is empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func publicData(p Person) object {
	first, last := p.firstLast()
	return object{
		"user_id": p.id(), "identifier": p.email(), "first_name": orNull(first), "last_name": orNull(last),
		"image_url": "", "has_image": false,
	}
}

// describeUser describes a person, as both APIs do.
func (in *Instance) describeUser(p Person) object {
	first, last := p.firstLast()
	return object{
		"object": "user", "id": p.id(), "username": nil, "first_name": orNull(first), "last_name": orNull(last),
		"image_url": "", "has_image": false, "external_id": nil, "locale": nil,
		"primary_email_address_id": p.emailID(), "primary_phone_number_id": nil, "primary_web3_wallet_id": nil,
		"email_addresses": []object{{
			"object": "email_address", "id": p.emailID(), "email_address": p.email(), "reserved": false, "linked_to": []object{},
			"verification": verified("email_code"),
		}},
		"phone_numbers": []object{}, "web3_wallets": []object{}, "external_accounts": []object{}, "enterprise_accounts": []object{},
		"saml_accounts": []object{}, "passkeys": []object{}, "organization_memberships": in.describeMemberships(p),
		"password_enabled": false, "two_factor_enabled": p.hasSecondFactor(), "totp_enabled": p.hasSecondFactor(), "backup_code_enabled": false,
		"public_metadata": object{}, "private_metadata": object{}, "unsafe_metadata": object{},
		"banned": false, "locked": false, "create_organization_enabled": false, "delete_self_enabled": false,
		"last_sign_in_at": nil, "last_active_at": nil, "legal_accepted_at": nil, "created_at": in.since.UnixMilli(), "updated_at": in.since.UnixMilli(),
	}
}

func (p Person) emailID() string { return "idn_" + p.id() }

func (in *Instance) describeMemberships(p Person) []object {
	all := []object{}
	for _, m := range p.memberships() {
		role := m.Organization.Role
		if role != "" {
			role = "org:" + strings.TrimPrefix(role, "org:")
		}
		all = append(all, object{
			"object": "organization_membership", "id": "orgmem_" + p.id() + "_" + m.Organization.ID,
			"role": role, "role_name": strings.TrimPrefix(role, "org:"), "permissions": append([]string{}, m.Permissions...),
			"public_metadata": object{}, "private_metadata": object{}, "public_user_data": publicData(p),
			"organization": in.describeOrganization(m.Organization), "created_at": in.since.UnixMilli(), "updated_at": in.since.UnixMilli(),
		})
	}
	return all
}

func (in *Instance) describeOrganization(o clerkauth.Organization) object {
	name := o.Slug
	if name == "" {
		name = o.ID
	}
	return object{
		"object": "organization", "id": o.ID, "name": name, "slug": o.Slug, "image_url": "", "has_image": false,
		"pending_invitations_count": 0, "max_allowed_memberships": 0, "admin_delete_enabled": false,
		"public_metadata": object{}, "private_metadata": object{}, "created_at": in.since.UnixMilli(), "updated_at": in.since.UnixMilli(),
	}
}
