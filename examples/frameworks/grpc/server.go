package grpc

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"

	"google.golang.org/grpc"
)

// Server is a grpc.Server with a Guard. Only NewServer installs the Guard's interceptors, so that none is left out.
type Server struct {
	*grpc.Server
	guard *guard
}

// NewServer is grpc.NewServer with the Guard. Of the interceptors in options, those of grpc.UnaryInterceptor and
// grpc.StreamInterceptor run before the Guard, and see calls that it refuses; chained ones run after it. Like Authorize, it
// panics on a check that can never pass.
func (g Guard) NewServer(options ...grpc.ServerOption) *Server {
	for _, check := range g.Checks {
		g.Auth.Authorize(check)
	}
	g.Checks, g.Public = maps.Clone(g.Checks), slices.Clone(g.Public)
	own := &guard{Guard: g}
	first := []grpc.ServerOption{grpc.ChainUnaryInterceptor(own.unary), grpc.ChainStreamInterceptor(own.stream)}
	return &Server{grpc.NewServer(append(first, options...)...), own}
}

// Serve is grpc.Server's; until it is called, every call is refused. It fails if a method in Checks or Public is not one of
// the server's, or is named twice: otherwise a misspelt method would have no check.
func (s *Server) Serve(listener net.Listener) error {
	if s.guard.Auth == nil {
		return errors.New("guard: the Authenticator is nil")
	}
	methods := map[string]bool{}
	for service, info := range s.GetServiceInfo() {
		for _, method := range info.Methods {
			methods["/"+service+"/"+method.Name] = true
		}
	}
	for _, method := range slices.AppendSeq(slices.Clone(s.guard.Public), maps.Keys(s.guard.Checks)) {
		if !methods[method] {
			return fmt.Errorf("guard: %q is not a method of the server, or is named twice", method)
		}
		delete(methods, method)
	}
	s.guard.started.Store(true)
	return s.Server.Serve(listener)
}
