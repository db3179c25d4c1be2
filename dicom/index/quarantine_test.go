package index_test

import (
	"context"
	"errors"
	"testing"

	"sira/dicom/index"
)

func TestQuarantineRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		known, other := instance("1.1", "1.1.1", 1), instance("1.1", "1.1.1", 1)
		add(t, x, true, known)
		other.Hash, other.PatientName = hash("other"), "KONE^Moussa"
		for range 2 {
			if err := x.Quarantine(ctx, index.Quarantined{Instance: other, Device: "CART", Remote: "10.0.0.7"}); err != nil {
				t.Fatal(err)
			}
		}
		lone := instance("1.9", "1.9.1", 1) // whose first is not here
		if err := x.Quarantine(ctx, index.Quarantined{Instance: lone, Sender: "u1", Case: "c1"}); err != nil {
			t.Fatal(err)
		}
		list, err := x.InQuarantine(ctx)
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, q := range list {
			switch q.Instance.SOPUID {
			case other.SOPUID:
				if q.Times != 2 || q.Device != "CART" || q.Known.Hash != known.Hash || q.Instance.PatientName != "KONE^Moussa" {
					t.Errorf("%+v", q)
				}
				if h, orphan, err := x.Release(ctx, q.ID); err != nil || h != other.Hash || !orphan {
					t.Errorf("released %s, orphan %v, %v", h, orphan, err)
				}
			default:
				if q.Sender != "u1" || q.Case != "c1" || q.Known.SOPUID != "" {
					t.Errorf("%+v", q)
				}
				add(t, x, true, lone) // now an instance has these bytes
				if _, orphan, err := x.Release(ctx, q.ID); err != nil || orphan {
					t.Errorf("orphan %v, %v", orphan, err)
				}
			}
		}
		if _, _, err := x.Release(ctx, "none"); !errors.Is(err, index.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
		if err := x.Quarantine(ctx, index.Quarantined{}); err == nil {
			t.Error("an object without a hash was quarantined")
		}
		for _, h := range []string{"", "a", "b"} {
			if h != "" {
				if err := x.SetDataSetHash(ctx, known.SOPUID, h); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := x.DataSetHash(ctx, known.SOPUID); err != nil || got != h {
				t.Errorf("hash %q, %v; want %q", got, err, h)
			}
		}
	})
}

func TestTotals(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		if got, err := x.Totals(ctx); err != nil || got != (index.Totals{}) {
			t.Errorf("empty: %+v, %v", got, err)
		}
		want := index.Totals{Studies: 2, Instances: 3, Quarantined: 1}
		for _, in := range []string{"1.1/1.1.1/1", "1.1/1.1.1/2", "1.2/1.2.1/1"} {
			i := instance(in[:3], in[4:9], int(in[10]-'0'))
			i.Size = 5 << 30 // more than 32 bits hold
			add(t, x, true, i)
			want.Bytes += i.Size
		}
		held := instance("1.1", "1.1.1", 1)
		held.Hash = hash("other")
		if err := x.Quarantine(ctx, index.Quarantined{Instance: held}); err != nil {
			t.Fatal(err)
		}
		if got, err := x.Totals(ctx); err != nil || got != want {
			t.Errorf("%+v, want %+v; %v", got, want, err)
		}
	})
}
