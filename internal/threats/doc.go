// Package threats has the tests of what an attacker can do, named by the attack, and of what others got wrong, named by
// the advisory or the issue. They use the exported API only. There is no code here.
package threats
