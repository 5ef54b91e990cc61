package clerkauth

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/clerkauth/clerkauth/internal/redact"
)

// ConfigFromEnv reads the variables that Clerk's own SDKs read: CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY, CLERK_JWT_KEY,
// CLERK_API_URL, CLERK_SIGN_IN_URL, CLERK_PROXY_URL, CLERK_IS_SATELLITE, CLERK_DOMAIN and CLERK_MACHINE_SECRET_KEY; and
// CLERK_AUTHORIZED_PARTIES, with commas between the origins. White space at either end of a value is ignored. A variable
// that is not set leaves its field empty. The error joins every problem; New refuses such a Config too.
func ConfigFromEnv() (Config, error) {
	var problems []error
	c := Config{
		PublishableKey: variable("CLERK_PUBLISHABLE_KEY"),
		SecretKey:      variable("CLERK_SECRET_KEY"),
		JWTKey:         variable("CLERK_JWT_KEY"),
		BackendAPIURL:  variable("CLERK_API_URL"),
		SignInURL:      variable("CLERK_SIGN_IN_URL"),
		ProxyURL:       variable("CLERK_PROXY_URL"),

		MachineSecretKey: variable("CLERK_MACHINE_SECRET_KEY"),
	}
	if value := variable("CLERK_IS_SATELLITE"); value != "" {
		satellite, err := strconv.ParseBool(value)
		if err != nil {
			problems = append(problems, fmt.Errorf("CLERK_IS_SATELLITE: %q is neither true nor false", value))
			c.Satellite = &Satellite{Domain: "(CLERK_IS_SATELLITE is " + value + ")"} // not a host, so that New refuses it
		}
		if satellite {
			c.Satellite = &Satellite{Domain: variable("CLERK_DOMAIN")}
		}
	}
	if list := os.Getenv("CLERK_AUTHORIZED_PARTIES"); list != "" {
		for party := range strings.SplitSeq(list, ",") {
			party = strings.TrimSpace(party)
			if party == "" {
				problems = append(problems, errors.New("CLERK_AUTHORIZED_PARTIES: has an empty entry; write origins with one comma between them"))
			}
			c.AuthorizedParties = append(c.AuthorizedParties, party)
		}
	}
	if len(problems) == 0 {
		return c, nil
	}
	return c, errors.New("clerkauth: " + redact.Text(errors.Join(problems...).Error(), c.SecretKey, c.MachineSecretKey))
}

func variable(name string) string { return trim(os.Getenv(name)) }

// trim removes white space from both ends of a value, unless there is nothing else in it.
func trim(value string) string { return cmp.Or(strings.TrimSpace(value), value) }
