package echo_test

import (
	"testing"

	"github.com/clerkauth/clerkauth/examples/frameworks/echo"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

func TestRoutes(t *testing.T) {
	contract.Run(t, echo.Routes, nil)
}
