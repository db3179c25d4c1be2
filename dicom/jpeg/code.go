package jpeg

import "sort"

// code is a Huffman code of the categories 0 to 16 of lossless differences.
type code struct {
	counts  [16]byte // codes of each length
	symbols []byte
	bits    [17]uint32 // code of each category
	lengths [17]int
}

// optimal makes the code for categories that occur so often (T.81 K.2): no
// longer than 16 bits, and none all ones.
func optimal(counts [17]int) code {
	lengths := codeLengths(counts)
	// Lengths above 16 are brought down two by two (Figure K.3).
	var number [64]int
	for _, l := range lengths {
		number[l]++
	}
	for l := 63; l > 16; l-- {
		for number[l] > 0 {
			j := l - 2
			for number[j] == 0 {
				j--
			}
			number[l] -= 2
			number[l-1]++
			number[j+1] += 2
			number[j]--
		}
	}
	longest := 16
	for number[longest] == 0 {
		longest--
	}
	number[longest]-- // the code of all ones is nobody's

	var c code
	for v, n := range counts {
		if n > 0 {
			c.symbols = append(c.symbols, byte(v))
		}
	}
	sort.SliceStable(c.symbols, func(i, j int) bool { return counts[c.symbols[i]] > counts[c.symbols[j]] })
	next, at := uint32(0), 0
	for l := 1; l <= 16; l++ {
		c.counts[l-1] = byte(number[l])
		for range number[l] {
			v := c.symbols[at]
			c.bits[v], c.lengths[v] = next, l
			next++
			at++
		}
		next <<= 1
	}
	return c
}

// codeLengths gives the length of each code of an unlimited Huffman code, the
// one that nobody will have at the end (T.81 Figure K.1).
func codeLengths(counts [17]int) []int {
	type tree struct {
		weight int
		leaves []int
	}
	var forest []tree
	var lengths []int
	for _, n := range counts {
		if n > 0 {
			forest = append(forest, tree{n, []int{len(lengths)}})
			lengths = append(lengths, 0)
		}
	}
	forest = append(forest, tree{0, []int{len(lengths)}})
	lengths = append(lengths, 0)
	for len(forest) > 1 {
		sort.SliceStable(forest, func(i, j int) bool { return forest[i].weight > forest[j].weight })
		last := len(forest) - 1
		a, b := forest[last-1], forest[last]
		joined := tree{a.weight + b.weight, append(append([]int{}, a.leaves...), b.leaves...)}
		for _, leaf := range joined.leaves {
			lengths[leaf]++
		}
		forest = append(forest[:last-1], joined)
	}
	return lengths
}

// append writes the code as a DHT segment.
func (c *code) append(out []byte, id byte) []byte {
	out = append(out, 0xFF, markDHT, 0, byte(19+len(c.symbols)), id)
	out = append(out, c.counts[:]...)
	return append(out, c.symbols...)
}
