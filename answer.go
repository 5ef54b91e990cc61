package clerkauth

import "sync"

// answer is the response to a refused request of a program, ready to be sent.
type answer struct {
	challenge string // of WWW-Authenticate (RFC 6750 section 3)
	body      string // JSON text
}

// answers are the responses to refusals that have nothing but a reason.
var answers = sync.OnceValue(func() map[Reason]answer {
	all := make(map[Reason]answer, len(table))
	for reason := range table {
		all[reason] = newAnswer(refused(reason), hint{})
	}
	return all
})

// answerTo is the response to a refusal: one of answers, unless there is more to say than the reason.
func answerTo(err *Error, shown hint) answer {
	if err.Check == (Check{}) && shown == (hint{}) && err.ownMessage() == "" {
		if a, ok := answers()[err.Reason]; ok {
			return a
		}
	}
	return newAnswer(err, shown)
}
