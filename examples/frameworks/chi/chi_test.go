package chi_test

import (
	"testing"

	"github.com/clerkauth/clerkauth/examples/frameworks/chi"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

func TestRoutes(t *testing.T) {
	contract.Run(t, chi.Routes, nil)
}

func TestClerkIsCalledOnce(t *testing.T) {
	contract.Once(t, chi.Routes)
}
