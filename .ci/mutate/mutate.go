package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// A mutant is one small change of a file.
type mutant struct {
	number int
	file   string // from the root of the module
	line   int
	source string // the text of that line
	change string // the text before → the text after
}

func (m mutant) key() string { return m.file + ": " + m.source + "\n" + m.change }

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %s", m.file, m.line, m.change)
}

// A mutator puts all mutants of a file into it, each behind a condition, so that one test binary has all of them and each
// can be turned on separately.
//
// It does not swap && and ||, or negate conditions: any request that distinguishes a && b from b distinguishes it from
// a || b too, and one that distinguishes a condition from true or false distinguishes it from its negation.
type mutator struct {
	file    string
	text    []byte
	set     *token.FileSet
	next    *int // the number of the last mutant
	mutants []mutant

	before, after map[int]string // what to insert at an offset
	functions     []*ast.FuncType
	covered       map[ast.Expr]bool // conditions that have mutants of their own
}

// mutate returns the file with its mutants in it.
func mutate(file string, text []byte, next *int) ([]byte, []mutant, error) {
	m := &mutator{
		file: file, text: text, set: token.NewFileSet(), next: next,
		before: map[int]string{}, after: map[int]string{}, covered: map[ast.Expr]bool{},
	}
	parsed, err := parser.ParseFile(m.set, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	for _, declaration := range parsed.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			m.walk(function)
		}
	}
	var out strings.Builder
	for i := range text {
		out.WriteString(m.after[i] + m.before[i])
		out.WriteByte(text[i])
	}
	return []byte(out.String()), m.mutants, nil
}

func (m *mutator) offset(pos token.Pos) int { return m.set.Position(pos).Offset }

func (m *mutator) original(node ast.Node) string {
	return string(m.text[m.offset(node.Pos()):m.offset(node.End())])
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// add registers a mutant and returns the condition that turns it on.
func (m *mutator) add(node ast.Node, was, is string) string {
	*m.next++
	position := m.set.Position(node.Pos())
	line := strings.Split(string(m.text), "\n")[position.Line-1]
	m.mutants = append(m.mutants, mutant{
		number: *m.next, file: m.file, line: position.Line,
		source: strings.TrimSpace(line), change: oneLine(was + " → " + is),
	})
	return fmt.Sprintf("mutantOn(%d)", *m.next)
}

// wrap inserts text around a node. A node must be wrapped before its children.
func (m *mutator) wrap(node ast.Node, before, after string) {
	m.before[m.offset(node.Pos())] += before
	end := m.offset(node.End())
	m.after[end] = after + m.after[end]
}

func (m *mutator) walk(root ast.Node) {
	var parents []ast.Node
	ast.Inspect(root, func(node ast.Node) bool {
		if node == nil {
			if f := functionOf(parents[len(parents)-1]); f != nil {
				m.functions = m.functions[:len(m.functions)-1]
			}
			parents = parents[:len(parents)-1]
			return true
		}
		if f := functionOf(node); f != nil {
			m.functions = append(m.functions, f)
		}
		parents = append(parents, node)
		return m.visit(node)
	})
}

func functionOf(node ast.Node) *ast.FuncType {
	switch f := node.(type) {
	case *ast.FuncDecl:
		return f.Type
	case *ast.FuncLit:
		return f.Type
	}
	return nil
}

func (m *mutator) visit(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.GenDecl:
		return n.Tok != token.CONST
	case *ast.IfStmt:
		m.condition(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			m.drop(n.Cond, "false")
		}
	case *ast.SwitchStmt:
		if n.Tag == nil {
			m.cases(n)
		}
	case *ast.BlockStmt:
		m.statements(n.List)
	case *ast.CaseClause:
		m.statements(n.Body)
	case *ast.CommClause:
		m.statements(n.Body)
	case *ast.BinaryExpr:
		m.binary(n)
	}
	return true
}

func (m *mutator) cases(n *ast.SwitchStmt) {
	for _, clause := range n.Body.List {
		for _, condition := range clause.(*ast.CaseClause).List {
			m.condition(condition)
		}
	}
}

// condition is replaced by true in one mutant, and by false in another.
func (m *mutator) condition(e ast.Expr) {
	m.drop(e, "true")
	m.drop(e, "false")
}

// drop replaces a condition by true or false.
func (m *mutator) drop(e ast.Expr, constant string) {
	m.covered[e] = true
	on := m.add(e, m.original(e), constant)
	if constant == "true" {
		m.wrap(e, "("+on+" || bool(", "))")
	} else {
		m.wrap(e, "(!"+on+" && bool(", "))")
	}
}

var bounds = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
}

func (m *mutator) binary(e *ast.BinaryExpr) {
	was, x, y := m.original(e), m.original(e.X), m.original(e.Y)
	switch e.Op {
	case token.LAND:
		m.drop(e.X, "true")
		m.drop(e.Y, "true")
	case token.LOR:
		m.drop(e.X, "false")
		m.drop(e.Y, "false")
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		is := fmt.Sprintf("%s %s %s", x, bounds[e.Op], y)
		on := m.add(e, was, is)
		m.wrap(e, fmt.Sprintf("(%s && (%s) || !%s && (", on, is, on), "))")
	case token.EQL, token.NEQ:
		if !m.covered[e] {
			opposite := map[token.Token]string{token.EQL: "!=", token.NEQ: "=="}[e.Op]
			on := m.add(e, was, x+" "+opposite+" "+y)
			m.wrap(e, "("+on+" != (", "))")
		}
	}
}

func (m *mutator) statements(list []ast.Stmt) {
	for _, statement := range list {
		switch s := statement.(type) {
		case *ast.ReturnStmt:
			m.results(s)
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
			m.remove(s)
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				m.remove(s)
			}
		case *ast.BranchStmt:
			if s.Tok == token.CONTINUE || s.Tok == token.BREAK {
				m.remove(s)
			}
		}
	}
}

func (m *mutator) remove(s ast.Stmt) {
	was := m.original(s)
	if strings.HasPrefix(was, "panic(") {
		return
	}
	m.wrap(s, "if !"+m.add(s, was, "nothing")+" { ", " }")
}

// results returns the negation of a bool, and the zero value of anything else.
func (m *mutator) results(s *ast.ReturnStmt) {
	types := resultTypes(m.functions[len(m.functions)-1])
	if len(types) != len(s.Results) {
		return
	}
	was := m.original(s)
	values := make([]string, len(s.Results))
	for i, result := range s.Results {
		values[i] = m.original(result)
	}
	for i, result := range s.Results {
		name := m.original(types[i])
		changed := slices.Clone(values)
		switch {
		case name == "bool":
			changed[i] = map[string]string{"true": "false", "false": "true"}[values[i]]
			if changed[i] == "" {
				changed[i] = "!(" + values[i] + ")"
			}
			m.covered[result] = true
			on := m.add(s, was, "return "+strings.Join(changed, ", "))
			m.wrap(result, "("+on+" != (", "))")
		case !isZero(result):
			changed[i] = "zero"
			on := m.add(s, was, "return "+strings.Join(changed, ", "))
			m.before[m.offset(s.Pos())] += fmt.Sprintf("if %s { var zero %s; return %s }; ", on, name, strings.Join(changed, ", "))
		}
	}
}

func resultTypes(f *ast.FuncType) []ast.Expr {
	var types []ast.Expr
	if f.Results == nil {
		return nil
	}
	for _, field := range f.Results.List {
		for range max(1, len(field.Names)) {
			types = append(types, field.Type)
		}
	}
	return types
}

func isZero(e ast.Expr) bool {
	switch v := e.(type) {
	case *ast.Ident:
		return v.Name == "nil"
	case *ast.BasicLit:
		return v.Value == "0" || v.Value == `""`
	case *ast.CompositeLit:
		_, slice := v.Type.(*ast.ArrayType)
		return len(v.Elts) == 0 && !slice
	}
	return false
}
