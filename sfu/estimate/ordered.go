package estimate

import "slices"

// ordered is a window's values by size, kept so while values come and go: to
// sort a window anew for each report is most of what a report costs.
type ordered struct{ v []float64 }

func (o *ordered) add(x float64) {
	i, _ := slices.BinarySearch(o.v, x)
	o.v = slices.Insert(o.v, i, x)
}

// drop forgets a value that was added.
func (o *ordered) drop(x float64) {
	if i, ok := slices.BinarySearch(o.v, x); ok {
		o.v = slices.Delete(o.v, i, i+1)
	}
}

func (o *ordered) fill(values []float64) {
	o.v = append(o.v[:0], values...)
	slices.Sort(o.v)
}

func (o *ordered) quantile(q float64) float64 { return o.v[int(q*float64(len(o.v)-1))] }
