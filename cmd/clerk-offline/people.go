package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// person is an entry of the file of -people, which is a list of them:
//
//	[{
//	  "id": "user_ada", "name": "Ada Byron", "email": "ada@example.com", "plans": ["free"], "features": ["search"],
//	  "organizations": [{
//	    "id": "org_acme", "slug": "acme", "role": "admin", "active": true, "plans": ["pro"],
//	    "permissions": ["org:invoices:create"]
//	  }]
//	}]
//
// Only id is required. Of the organizations at most one is active at first.
type person struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	Email         string         `json:"email"`
	Plans         []string       `json:"plans"`
	Features      []string       `json:"features"`
	Claims        map[string]any `json:"claims"` // more claims of the session tokens
	Organizations []membership   `json:"organizations"`
}

type membership struct {
	ID          string   `json:"id"`
	Slug        string   `json:"slug"`
	Role        string   `json:"role"`
	Active      bool     `json:"active"`
	Permissions []string `json:"permissions"`
	Plans       []string `json:"plans"`
	Features    []string `json:"features"`
}

// readPeople reads a file; without a name it returns nil, which stands for clerktest's own people.
func readPeople(name string) ([]clerktest.Person, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("-people: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	var list []person
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("-people: %s: %w", name, err)
	}
	people, ids := []clerktest.Person{}, map[string]bool{}
	for i, p := range list {
		read, err := p.read()
		if err == nil && ids[p.ID] {
			err = errors.New("the id occurs twice")
		}
		if err != nil {
			return nil, fmt.Errorf("-people: %s: entry %d (%q): %w", name, i+1, p.ID, err)
		}
		ids[p.ID] = true
		people = append(people, read)
	}
	return people, nil
}

func (p person) read() (clerktest.Person, error) {
	if p.ID == "" {
		return clerktest.Person{}, errors.New("id is missing")
	}
	read := clerktest.Person{Name: p.Name, Email: p.Email, Claims: clerktest.Claims{
		Subject: p.ID, Extra: p.Claims, Plans: scoped("u", p.Plans), Features: scoped("u", p.Features),
	}}
	for _, o := range p.Organizations {
		m, err := o.read()
		if err != nil {
			return read, fmt.Errorf("organization %q: %w", o.ID, err)
		}
		read.Memberships = append(read.Memberships, m)
		if !o.Active {
			continue
		}
		c := &read.Claims
		if c.Organization.ID != "" {
			return read, errors.New("two organizations are active")
		}
		c.Organization, c.Permissions = m.Organization, m.Permissions
		c.Plans, c.Features = slices.Concat(m.Plans, c.Plans), slices.Concat(m.Features, c.Features)
	}
	return read, nil
}

func (m membership) read() (clerktest.Membership, error) {
	if m.ID == "" {
		return clerktest.Membership{}, errors.New("id is missing")
	}
	for _, p := range m.Permissions {
		if parts := strings.Split(p, ":"); len(parts) < 3 || parts[0] != "org" || slices.Contains(parts, "") {
			return clerktest.Membership{}, fmt.Errorf("permission %q is not org:<feature>:<permission>", p)
		}
	}
	return clerktest.Membership{
		Organization: clerkauth.Organization{ID: m.ID, Slug: m.Slug, Role: m.Role},
		Permissions:  m.Permissions, Plans: scoped("o", m.Plans), Features: scoped("o", m.Features),
	}, nil
}

// scoped are names as written in claims: the user's, or the organization's.
func scoped(scope string, names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, scope+":"+n)
	}
	return all
}
