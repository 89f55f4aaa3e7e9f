package plain

import "reflect"

// Deep is a copy of a value in which every text, down to the keys of maps, is
// made plain by Text. A value without a text to change shares its parts with v.
func Deep[T any](v T) T {
	out, changed := deep(reflect.ValueOf(&v).Elem())
	if !changed {
		return v
	}
	return out.Interface().(T)
}

// deep gives a copy, and whether it differs; the value itself where it does not.
func deep(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.String:
		s := v.String()
		if t := Text(s); t != s {
			out := reflect.New(v.Type()).Elem()
			out.SetString(t)
			return out, true
		}
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		if to, changed := deep(v.Elem()); changed {
			out := reflect.New(v.Type().Elem())
			out.Elem().Set(to)
			return out, true
		}
	case reflect.Struct:
		return each(v, v.NumField(), reflect.Value.Field, func() reflect.Value {
			out := reflect.New(v.Type()).Elem()
			out.Set(v)
			return out
		})
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v, false
		}
		return each(v, v.Len(), reflect.Value.Index, func() reflect.Value {
			out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(out, v)
			return out
		})
	case reflect.Map:
		return keyed(v)
	}
	return v, false
}

// each goes over the parts of a value, copied once one of them differs.
func each(v reflect.Value, n int, at func(reflect.Value, int) reflect.Value, clone func() reflect.Value) (reflect.Value, bool) {
	out, changed := v, false
	for i := range n {
		part := at(v, i)
		if !part.CanInterface() {
			continue // of others, like what a time holds
		}
		p, differs := deep(part)
		if !differs {
			continue
		}
		if !changed {
			out, changed = clone(), true
		}
		at(out, i).Set(p)
	}
	return out, changed
}

func keyed(v reflect.Value) (reflect.Value, bool) {
	changed := false
	out := reflect.MakeMapWithSize(v.Type(), v.Len())
	for m := v.MapRange(); m.Next(); {
		k, a := deep(m.Key())
		x, b := deep(m.Value())
		changed = changed || a || b
		out.SetMapIndex(k, x)
	}
	if !changed {
		return v, false
	}
	return out, true
}
