// Package layout has the tests of what may import what: the order of the packages, who opens connections, who is given
// the secret key, and what the module requires. There is no code here.
package layout
