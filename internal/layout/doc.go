// Package layout tests which package may import which, who opens connections, who gets the secret key, and what the module
// requires. It has no code.
package layout
