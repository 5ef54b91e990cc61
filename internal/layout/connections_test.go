package layout_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// senders are the packages that send requests to a server.
var senders = []string{
	"internal/jwks", "internal/backendapi", "internal/machine", "internal/fapiproxy",
	"internal/transport", // passes on what the application's http.RoundTripper says
}

// makers are the packages that make an http.Client.
var makers = []string{"internal/transport"}

// keyed are the packages that send the secret key.
var keyed = []string{"internal/backendapi", "internal/machine", "internal/fapiproxy"}

// handing are the packages that pass it to them.
var handing = []string{root}

// ways are the functions that open a connection, or listen for one.
var ways = []string{
	"net/http.DefaultClient", "net/http.DefaultTransport", "net/http.Transport", "net/http.ListenAndServe", "net/http.ListenAndServeTLS",
	"net/http.Serve", "net/http.ServeTLS", "net/http.Server",
}

// connected are packages in which nearly everything opens connections, or can; unconnected is what does not.
var (
	connected   = []string{"net", "crypto/tls", "log/syslog", "net/http/httputil", "net/rpc", "net/rpc/jsonrpc", "net/smtp", "os/exec", "plugin", "syscall", "unsafe"}
	unconnected = []string{"net.Conn"}
)

func isWay(o types.Object) bool {
	if o.Pkg() == nil || o.Parent() != o.Pkg().Scope() {
		return false
	}
	name := o.Pkg().Path() + "." + o.Name()
	return slices.Contains(ways, name) || slices.Contains(connected, o.Pkg().Path()) && !slices.Contains(unconnected, name)
}

// checked is a package with its types.
type checked struct {
	name  string
	fset  *token.FileSet
	files []*ast.File
	types.Info
}

// each calls f with every package of order up to the root.
func each(t *testing.T, f func(p *checked)) {
	t.Helper()
	exports := map[string]string{}
	for _, p := range everything(t) {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	gc := importer.ForCompiler(fset, "gc", func(importPath string) (io.ReadCloser, error) { return os.Open(exports[importPath]) })
	found := packages(t)
	for _, name := range order[:slices.Index(order, root)+1] {
		source, ok := found[name]
		if !ok {
			continue
		}
		p := &checked{name: name, fset: fset, Info: types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		}}
		for _, file := range source.GoFiles {
			parsed, err := parser.ParseFile(fset, filepath.Join(source.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			p.files = append(p.files, parsed)
		}
		config := types.Config{Importer: gc}
		if _, err := config.Check(source.ImportPath, fset, p.files, &p.Info); err != nil {
			t.Fatal(err)
		}
		f(p)
	}
}

func (p *checked) at(n ast.Node) string {
	at := p.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", path.Join(p.name, filepath.Base(at.Filename)), at.Line)
}

// response reports whether a function with this signature returns an *http.Response: a caller of one sends a request.
func response(t types.Type) bool {
	if t == nil {
		return false
	}
	signature, ok := t.Underlying().(*types.Signature)
	if !ok {
		return false
	}
	for result := range signature.Results().Variables() {
		if types.TypeString(result.Type(), nil) == "*net/http.Response" {
			return true
		}
	}
	return false
}

func TestFewOpenConnections(t *testing.T) {
	sent := map[string]bool{}
	each(t, func(p *checked) {
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				what := ""
				switch n := n.(type) {
				case *ast.CallExpr: // of a function value, too
					if response(p.TypeOf(n.Fun)) {
						what = "calls " + types.ExprString(n.Fun)
					}
				case *ast.Ident:
					switch o := p.Uses[n]; o := o.(type) {
					case nil:
					case *types.Func: // as a value, too
						if isWay(o) || response(o.Type()) {
							what = "uses " + o.FullName()
						}
					default:
						if isWay(o) {
							what = "uses " + o.Pkg().Path() + "." + o.Name()
						}
					}
				}
				if what == "" {
					return true
				}
				sent[p.name] = true
				if !slices.Contains(senders, p.name) {
					t.Errorf("%s: %s, want that only in %q", p.at(n), what, senders)
				}
				return true
			})
		}
	})
	for _, name := range []string{"internal/jwks", "internal/backendapi", "internal/machine"} {
		if !sent[name] {
			t.Errorf("%s sends nothing, as far as this test can see", name)
		}
	}
}

// An http.Client is made where the configuration is read, and passed on as a pointer.
func TestFewMakeClients(t *testing.T) {
	made := 0
	each(t, func(p *checked) {
		for _, file := range p.files {
			pointers := map[*ast.Ident]bool{}
			ast.Inspect(file, func(n ast.Node) bool {
				if star, ok := n.(*ast.StarExpr); ok {
					if selector, ok := star.X.(*ast.SelectorExpr); ok {
						pointers[selector.Sel] = true
					}
				}
				id, ok := n.(*ast.Ident)
				if !ok || pointers[id] {
					return true
				}
				o, ok := p.Uses[id].(*types.TypeName)
				if !ok || types.TypeString(o.Type(), nil) != "net/http.Client" {
					return true
				}
				made++
				if !slices.Contains(makers, p.name) {
					t.Errorf("%s: got an http.Client, want one only in %q", p.at(id), makers)
				}
				return true
			})
		}
	})
	if made == 0 {
		t.Error("there is no http.Client, as far as this test can see")
	}
}

// The root passes the secret key to the packages that send it, and it is in no other header.
func TestFewNameTheSecretKey(t *testing.T) {
	taken, sent := false, false
	each(t, func(p *checked) {
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					if o := p.Uses[n]; o != nil && takesSecret(o) {
						taken = true
						if !slices.Contains(handing, p.name) && !slices.Contains(keyed, p.name) {
							t.Errorf("%s: uses %s, which takes the secret key", p.at(n), o)
						}
					}
				default:
					if p.setsCredentials(n) {
						sent = true
						if !slices.Contains(keyed, p.name) {
							t.Errorf("%s: sets a header for credentials, want that only in %q", p.at(n), keyed)
						}
					}
				}
				return true
			})
		}
	})
	if !taken || !sent {
		t.Errorf("the secret key is handed on: %t, sent: %t, as far as this test can see, want both", taken, sent)
	}
}

// takesSecret reports whether o, of a package that sends the secret key, receives it: a function or a field.
func takesSecret(o types.Object) bool {
	if o.Pkg() == nil {
		return false
	}
	if name, ok := local(o.Pkg().Path()); !ok || !slices.Contains(keyed, name) {
		return false
	}
	names := []string{o.Name()}
	if f, ok := o.(*types.Func); ok {
		for parameter := range f.Signature().Params().Variables() {
			names = append(names, parameter.Name())
		}
	}
	return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(strings.ToLower(name), "secret") })
}

// setsCredentials reports whether n sets a header for credentials.
func (p *checked) setsCredentials(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		selector, ok := n.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		f, ok := p.Uses[selector.Sel].(*types.Func)
		if !ok {
			return false
		}
		switch f.FullName() {
		case "(*net/http.Request).SetBasicAuth":
			return true
		case "(net/http.Header).Set", "(net/http.Header).Add":
			return p.credentials(n.Args[0])
		}
	case *ast.AssignStmt:
		return slices.ContainsFunc(n.Lhs, func(left ast.Expr) bool {
			index, ok := left.(*ast.IndexExpr)
			return ok && p.credentials(index.Index)
		})
	case *ast.KeyValueExpr:
		return p.credentials(n.Key)
	}
	return false
}

// credentials reports whether an expression is a constant that names a header for credentials.
func (p *checked) credentials(e ast.Expr) bool {
	v := p.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return false
	}
	name := strings.ToLower(constant.StringVal(v))
	return strings.HasSuffix(name, "authorization") || strings.HasSuffix(name, "secret-key")
}
