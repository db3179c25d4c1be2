//go:build race

package main

// underRace: the race detector multiplies memory and time.
const underRace = true
