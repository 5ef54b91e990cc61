package bench

func ours() []Guard { return nil }
