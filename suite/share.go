package suite

import "math"

// Share is how often something happened.
type Share struct {
	Of  int     `json:"of"`  // times tried
	N   int     `json:"n"`   // times happened
	Low float64 `json:"low"` // 95 % confidence interval of the true share
	Hi  float64 `json:"high"`
}

// z is the quantile of the normal distribution for 95 %.
const z = 1.959964

// NewShare returns n of all, with Wilson's score interval, which holds for
// small numbers and for shares near 0 and 1 as well. Source: Wilson, Probable
// inference, 1927; Brown, Cai and DasGupta, 2001, recommend it.
func NewShare(n, all int) Share {
	s := Share{Of: all, N: n, Hi: 1}
	if all == 0 {
		return s
	}
	p, m := float64(n)/float64(all), float64(all)
	center := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m)) / (1 + z*z/m)
	s.Low, s.Hi = math.Max(0, center-half), math.Min(1, center+half)
	return s
}

// differ returns the probability that two shares differ at least so much by
// chance alone: Fisher's exact test, two-sided.
func differ(a, b Share) float64 {
	happened, all := a.N+b.N, a.Of+b.Of
	if all == 0 {
		return 1
	}
	log := func(n int) float64 { v, _ := math.Lgamma(float64(n) + 1); return v }
	choose := func(n, k int) float64 { return log(n) - log(k) - log(n-k) }
	chance := func(k int) float64 {
		return math.Exp(choose(a.Of, k) + choose(b.Of, happened-k) - choose(all, happened))
	}
	seen, sum := chance(a.N), 0.0
	for k := max(0, happened-b.Of); k <= min(a.Of, happened); k++ {
		if p := chance(k); p <= seen*(1+1e-9) {
			sum += p
		}
	}
	return math.Min(1, sum)
}
