package clerkauth

import "sync"

// answer is what a program is told of a refusal, ready to be sent.
type answer struct {
	challenge string // of WWW-Authenticate (RFC 6750 section 3)
	body      string // JSON text
}

// answers are those to refusals of which there is nothing to say but the reason.
var answers = sync.OnceValue(func() map[Reason]answer {
	all := make(map[Reason]answer, len(table))
	for reason := range table {
		all[reason] = newAnswer(refused(reason), hint{})
	}
	return all
})

// answerTo is the answer to a refusal, one of answers if there is nothing else to say.
func answerTo(err *Error, shown hint) answer {
	if err.Check == (Check{}) && shown == (hint{}) && err.ownMessage() == "" {
		if a, ok := answers()[err.Reason]; ok {
			return a
		}
	}
	return newAnswer(err, shown)
}
