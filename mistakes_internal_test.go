package clerkauth

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every string of a Config is checked, including those of future fields.
func TestTextsAreAllOfAConfig(t *testing.T) {
	c := Config{Satellite: &Satellite{}}
	var want []string
	var walk func(v reflect.Value, name string)
	walk = func(v reflect.Value, name string) {
		for i := range v.NumField() {
			f, full := v.Field(i), strings.TrimPrefix(name+"."+v.Type().Field(i).Name, ".")
			switch {
			case !v.Type().Field(i).IsExported():
			case f.Kind() == reflect.String:
				want = append(want, full)
			case f.Type() == reflect.TypeFor[[]string]():
				f.Set(reflect.ValueOf([]string{"x"}))
				want = append(want, full+"[0]")
			case f.Type() == reflect.TypeFor[*Satellite]():
				walk(f.Elem(), full)
			case f.Kind() == reflect.Struct:
				walk(f, full)
			}
		}
	}
	walk(reflect.ValueOf(&c).Elem(), "")
	var got []string
	for _, found := range texts(&c) {
		got = append(got, found.field)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(want) < 17 {
		t.Errorf("texts\n%q, want\n%q", got, want)
	}
}
