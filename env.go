package clerkauth

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ConfigFromEnv reads the variables that Clerk's own SDKs read, CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY,
// CLERK_JWT_KEY, CLERK_API_URL, CLERK_SIGN_IN_URL, CLERK_PROXY_URL, CLERK_IS_SATELLITE, CLERK_DOMAIN and CLERK_MACHINE_SECRET_KEY,
// and CLERK_AUTHORIZED_PARTIES with commas between the origins. What cannot be read is reported by New.
func ConfigFromEnv() Config {
	c := Config{
		PublishableKey: os.Getenv("CLERK_PUBLISHABLE_KEY"),
		SecretKey:      os.Getenv("CLERK_SECRET_KEY"),
		JWTKey:         os.Getenv("CLERK_JWT_KEY"),
		BackendAPIURL:  os.Getenv("CLERK_API_URL"),
		SignInURL:      os.Getenv("CLERK_SIGN_IN_URL"),
		ProxyURL:       os.Getenv("CLERK_PROXY_URL"),

		MachineSecretKey: os.Getenv("CLERK_MACHINE_SECRET_KEY"),
	}
	if value := os.Getenv("CLERK_IS_SATELLITE"); value != "" {
		satellite, err := strconv.ParseBool(value)
		if err != nil {
			c.problems = append(c.problems, fmt.Errorf("CLERK_IS_SATELLITE: %q is neither true nor false", value))
		}
		if satellite {
			c.Satellite = &Satellite{Domain: os.Getenv("CLERK_DOMAIN")}
		}
	}
	if list := os.Getenv("CLERK_AUTHORIZED_PARTIES"); list != "" {
		for party := range strings.SplitSeq(list, ",") {
			party = strings.TrimSpace(party)
			if party == "" {
				c.problems = append(c.problems, errors.New("CLERK_AUTHORIZED_PARTIES: has an empty entry; write origins with one comma between them"))
				continue
			}
			c.AuthorizedParties = append(c.AuthorizedParties, party)
		}
	}
	return c
}
