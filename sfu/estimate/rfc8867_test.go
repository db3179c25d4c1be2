package estimate

import (
	"fmt"
	"time"
)

// rfc8867 are the cases of RFC 8867, sections 5 and 6, with its capacities;
// queues hold 300 ms and the way is 50 ms, as there.
func rfc8867() []scenario {
	return []scenario{
		{"RFC 8867 5.1 variable capacity, one flow", case51},
		{"RFC 8867 5.2 variable capacity, two flows", case52},
		{"RFC 8867 5.3 congested feedback", case53},
		{"RFC 8867 5.4 three like flows", case54},
		{"RFC 8867 5.5 unlike round trips", case55},
		{"RFC 8867 5.6 with a long TCP flow", case56},
		{"RFC 8867 5.7 with short TCP flows", case57},
		{"RFC 8867 5.8 pause and resume", case58},
		{"RFC 8867 6.1 priority in one budget", case61},
		{"RFC 8867 6.2 ECN", case62},
		{"RFC 8867 6.3 two bottlenecks", case63},
	}
}

const most = 1.5e6 // of one flow, as there

func (l *link) outcome(what string, use, least float64, note string) outcome {
	return outcome{what: what, use: use, wait: pct(l.waits, 0.95), drop: float64(l.dropped) / float64(max(l.in, 1)),
		note: note, leastUse: least, mostWait: 305, mostDrop: 0.05}
}

func case51(w *world) []outcome {
	l := w.newLink(0, 300*ms, 50*ms)
	l.rate = steps(0, 1e6, 40, 2.5e6, 60, 0.6e6, 80, 1e6)
	f := w.newFlow(50*ms, l)
	f.most = most
	f.begin()
	w.run(100 * time.Second)
	use := (mean(f.carried[20:40])/1e6 + mean(f.carried[50:60])/most + mean(f.carried[65:80])/0.6e6 + mean(f.carried[88:100])/1e6) / 4
	return []outcome{l.outcome("", use, 0.8, "")}
}

func case52(w *world) []outcome {
	l := w.newLink(0, 300*ms, 50*ms)
	l.rate = steps(0, 4e6, 25, 2e6, 50, 3.5e6, 75, 1e6, 100, 2e6)
	var fs []*flow
	for range 2 {
		f := w.newFlow(50*ms, l)
		f.most = most
		f.begin()
		fs = append(fs, f)
	}
	w.run(125 * time.Second)
	sum := func(a, b int) float64 { return mean(fs[0].carried[a:b]) + mean(fs[1].carried[a:b]) }
	use := (sum(35, 50)/2e6 + sum(80, 100)/1e6 + sum(112, 125)/2e6) / 3
	return []outcome{l.outcome("", use, 0.75, fmt.Sprintf("fairness %.2f", jain([]float64{
		mean(fs[0].carried[35:125]), mean(fs[1].carried[35:125])})))}
}

func case53(w *world) []outcome {
	ab, ba := w.newLink(0, 300*ms, 50*ms), w.newLink(0, 300*ms, 50*ms)
	ab.rate = steps(0, 2e6, 20, 1e6, 40, 0.5e6, 60, 2e6)
	ba.rate = steps(0, 2e6, 35, 0.8e6, 70, 2e6)
	f, g := w.newFlow(0, ab), w.newFlow(0, ba)
	f.back, g.back = ba, ab
	f.most, g.most = most, most
	f.begin()
	g.begin()
	w.run(100 * time.Second)
	use := (mean(f.carried[26:40])/1e6 + mean(f.carried[45:60])/0.5e6 + mean(f.carried[80:100])/most + mean(g.carried[42:70])/0.8e6) / 4
	return []outcome{ab.outcome("", use, 0.75, "")}
}

func case54(w *world) []outcome {
	l := w.newLink(3500, 300*ms, 50*ms)
	var fs []*flow
	for i := range 3 {
		f := w.newFlow(50*ms, l)
		f.most, f.start = most, time.Duration(20*i)*time.Second
		f.begin()
		fs = append(fs, f)
	}
	w.run(120 * time.Second)
	var v []float64
	sum := 0.0
	for _, f := range fs {
		v = append(v, mean(f.carried[70:120]))
		sum += v[len(v)-1]
	}
	return []outcome{l.outcome("", sum/3.5e6, 0.75, fmt.Sprintf("fairness %.2f", jain(v)))}
}

func case55(w *world) []outcome {
	l := w.newLink(4000, 300*ms, 0)
	var fs []*flow
	for i, d := range []time.Duration{10 * ms, 25 * ms, 50 * ms, 100 * ms, 150 * ms} {
		way := w.newLink(100_000, time.Second, d)
		f := w.newFlow(d, l, way)
		f.most, f.start = most, time.Duration(10*i)*time.Second
		f.begin()
		fs = append(fs, f)
	}
	w.run(150 * time.Second)
	var v []float64
	sum := 0.0
	for _, f := range fs {
		v = append(v, mean(f.carried[100:150]))
		sum += v[len(v)-1]
	}
	return []outcome{l.outcome("", sum/4e6, 0.7, fmt.Sprintf("fairness %.2f", jain(v)))}
}

func case56(w *world) []outcome {
	l := w.newLink(2000, 300*ms, 50*ms)
	f := w.newFlow(50*ms, l)
	f.most = most
	f.begin()
	c := &tcp{w: w, path: l, rtt: 100 * ms, from: 10 * time.Second}
	c.begin()
	w.run(120 * time.Second)
	ours, theirs := mean(f.carried[40:120]), mean(c.carried[40:120])
	o := l.outcome("", (ours+theirs)/2e6, 0.7, fmt.Sprintf("ours %.0f kbit/s, TCP %.0f", ours/1000, theirs/1000))
	o.mostWait, o.mostDrop = 0, 0 // TCP fills the queue by itself
	return []outcome{o}
}

func case57(w *world) []outcome {
	l := w.newLink(2000, 300*ms, 50*ms)
	f := w.newFlow(50*ms, l)
	f.most = most
	f.begin()
	done, begun := 0, 0
	var next func()
	next = func() {
		begun++
		c := &tcp{w: w, path: l, rtt: 100 * ms, bytes: 100_000 + w.rng.IntN(900_000), done: func() { done++ }}
		c.begin()
		w.after(time.Duration(w.rng.ExpFloat64()*10)*time.Second, next)
	}
	w.after(20*time.Second, next)
	w.run(150 * time.Second)
	o := l.outcome("", mean(f.carried[30:150])/2e6, 0.1, fmt.Sprintf("%d of %d transfers ended", done, begun))
	o.mostWait, o.mostDrop = 0, 0
	return []outcome{o}
}

func case58(w *world) []outcome {
	l := w.newLink(3500, 300*ms, 50*ms)
	var fs []*flow
	for range 3 {
		f := w.newFlow(50*ms, l)
		f.most = most
		f.begin()
		fs = append(fs, f)
	}
	fs[0].paused = func(t time.Duration) bool { return t > 40*time.Second && t < 60*time.Second }
	w.run(110 * time.Second)
	sum := 0.0
	var v []float64
	for _, f := range fs {
		v = append(v, mean(f.carried[85:110]))
		sum += v[len(v)-1]
	}
	return []outcome{l.outcome("", sum/3.5e6, 0.7, fmt.Sprintf("fairness after the pause %.2f", jain(v)))}
}

// case61: two streams to one receiver share one budget here; the estimate
// has only to hold while one of them comes and goes.
func case61(w *world) []outcome {
	l := w.newLink(2000, 300*ms, 50*ms)
	f := w.newFlow(50*ms, l)
	f.most = 0.4e6
	f.begin()
	w.run(40 * time.Second)
	f.most = most
	w.run(80 * time.Second)
	return []outcome{l.outcome("", mean(f.carried[60:80])/(1.2*most), 0.8, "")}
}

func case62(w *world) []outcome {
	l := w.newLink(0, 300*ms, 50*ms)
	l.rate = steps(0, 1e6, 40, 2.5e6, 60, 0.6e6, 80, 1e6)
	l.mark = 40 * ms
	f := w.newFlow(50*ms, l)
	f.most = most
	f.begin()
	w.run(100 * time.Second)
	use := (mean(f.carried[20:40])/1e6 + mean(f.carried[65:80])/0.6e6 + mean(f.carried[88:100])/1e6) / 3
	return []outcome{l.outcome("", use, 0.7, "marked above 40 ms")}
}

func case63(w *world) []outcome {
	a, b := w.newLink(2000, 300*ms, 25*ms), w.newLink(2000, 300*ms, 25*ms)
	both, one, two := w.newFlow(50*ms, a, b), w.newFlow(25*ms, a), w.newFlow(25*ms, b)
	for _, f := range []*flow{both, one, two} {
		f.most = most
		f.begin()
	}
	w.run(120 * time.Second)
	x := mean(both.carried[50:120])
	return []outcome{a.outcome("", (x+mean(one.carried[50:120]))/2e6, 0.7,
		fmt.Sprintf("through both %.0f kbit/s", x/1000))}
}
