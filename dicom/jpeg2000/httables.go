package jpeg2000

// htWords holds, for the first row of quads and for the others, what a context
// (times 128) and the next seven bits of the VLC stream mean:
//
//	bits 0..2 length, 3..6 rho, 7 u_off, 8..11 e_k, 12..15 e_1
var htWords [2][1024]uint16

// htPrefix holds, by the next three bits, the prefix of u (T.814 table 3):
//
//	bits 0..1 length, 2..4 length of the suffix, 5.. value
var htPrefix [8]uint8

// melExponents of T.814 table 2.
var melExponents = [13]uint8{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5}

func init() {
	for i, list := range [][]uint32{vlcFirst[:], vlcLater[:]} {
		for _, v := range list {
			length, word := v&7, v>>3&127
			e := uint16(length | v>>19&15<<3 | v>>18&1<<7 | v>>14&15<<8 | v>>10&15<<12)
			for rest := uint32(0); rest < 1<<(7-length); rest++ {
				htWords[i][v>>23<<7|rest<<length|word] = e
			}
		}
	}
	for bits := range htPrefix {
		switch {
		case bits&1 == 1:
			htPrefix[bits] = 1 | 0<<2 | 1<<5
		case bits&2 == 2:
			htPrefix[bits] = 2 | 0<<2 | 2<<5
		case bits&4 == 4:
			htPrefix[bits] = 3 | 1<<2 | 3<<5
		default:
			htPrefix[bits] = 3 | 5<<2 | 5<<5
		}
	}
}
