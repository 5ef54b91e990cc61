package main

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// defaultPorts are left out of an origin.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// normal is an origin as browsers send it. clerkauth.New accepts other spellings too, "https://App.example:443/", and cors
// compares literally: both get this one. New reports entries that are not origins.
func normal(entry string) string {
	u, err := url.Parse(entry)
	if err != nil {
		return entry
	}
	if u.Path == "/" {
		u.Path = ""
	}
	if defaultPorts[u.Scheme] == "" {
		return u.String() // the host of an extension is not changed
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.String()
	}
	if n, err := strconv.Atoi(port); err == nil {
		port = strconv.Itoa(n)
	}
	if port == defaultPorts[u.Scheme] {
		port = ""
	}
	u.Host = strings.TrimSuffix(net.JoinHostPort(host, port), ":")
	return u.String()
}
