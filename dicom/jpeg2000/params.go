package jpeg2000

// Markers (T.800 table A.2, T.814 A.3).
const (
	mSOC = 0xFF4F
	mCAP = 0xFF50
	mSIZ = 0xFF51
	mCOD = 0xFF52
	mCOC = 0xFF53
	mTLM = 0xFF55
	mPLM = 0xFF57
	mPLT = 0xFF58
	mCPF = 0xFF59
	mQCD = 0xFF5C
	mQCC = 0xFF5D
	mRGN = 0xFF5E
	mPOC = 0xFF5F
	mPPM = 0xFF60
	mPPT = 0xFF61
	mCRG = 0xFF63
	mDCO = 0xFF70 // first and …
	mMCT = 0xFF74
	mMCC = 0xFF75
	mMCO = 0xFF77
	mCBD = 0xFF78
	mATK = 0xFF79 // … last of the extensions of part 2 (T.801 A.3)
	mCOM = 0xFF64
	mSOT = 0xFF90
	mSOP = 0xFF91
	mEPH = 0xFF92
	mSOD = 0xFF93
	mEOC = 0xFFD9
)

// Code-block styles (T.800 table A.19, T.814 A.4).
const (
	styleBypass  = 0x01
	styleReset   = 0x02
	styleTermAll = 0x04
	styleCausal  = 0x08
	stylePredict = 0x10
	styleSegSym  = 0x20
	styleHT      = 0x40
	styleMixed   = 0x80
)

// Progression orders (T.800 table A.16).
const (
	orderLRCP = iota
	orderRLCP
	orderRPCL
	orderPCRL
	orderCPRL
)

const maxLevels = 32

// sizes is what SIZ says (T.800 A.5.1).
type sizes struct {
	x0, y0, x1, y1   int // image area on the reference grid
	tw, th, tx0, ty0 int // tiles
	tilesX, tilesY   int
	components       []componentSize
}

type componentSize struct {
	bits   int
	signed bool
	dx, dy int
}

// coding is what COD or COC says of one component (T.800 A.6.1, A.6.2).
type coding struct {
	levels     int
	cbw, cbh   int // exponents
	style      byte
	reversible bool
	precincts  [maxLevels + 1]byte // exponents, height in the upper half
	own        bool                // said by COC
}

// quantisation is what QCD or QCC says of one component (T.800 A.6.4, A.6.5).
type quantisation struct {
	kind      byte // 0 none, 1 derived, 2 expounded
	guard     int
	exponents [3*maxLevels + 1]byte
	mantissas [3*maxLevels + 1]uint16
	count     int
	own       bool // said by QCC
}

// component is all that governs the coding of one component of a tile.
type component struct {
	coding
	quantisation
	roi int // RGN: bits that the region of interest is shifted up by
}

// volume is one progression order change (T.800 A.6.6), or the one default.
type volume struct {
	resFrom, resTo   int
	compFrom, compTo int
	layers           int
	order            byte
}

// params govern the coding of a tile, or are the defaults of all.
type params struct {
	order      byte
	layers     int
	transform  bool // RCT or ICT
	across     bool // arrays of part 2 across components, which multi holds
	multi      multi
	sop, eph   bool
	components []component
	volumes    []volume
	haveCOD    bool
	haveQCD    bool
}

// clone copies p for a tile-part header to change; what the tile says for all
// components beats what the main header says for one (T.800 A.6).
func (p *params) clone() *params {
	q := *p
	q.components = append([]component(nil), p.components...)
	q.volumes = append([]volume(nil), p.volumes...)
	q.multi = p.multi.clone()
	for i := range q.components {
		q.components[i].coding.own = false
		q.components[i].quantisation.own = false
	}
	return &q
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func ceilShift(a int, n int) int { return int((int64(a) + 1<<n - 1) >> n) }
