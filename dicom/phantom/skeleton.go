package phantom

// ECG12 returns 10 s of a 12-lead ECG at 500 Hz.
func ECG12(s Study, r Rhythm) []byte { return nil }

// DX returns a chest radiograph.
func DX(s Study, o ChestOptions) []byte { return nil }

// Photo returns a JPEG photograph of a skin lesion.
func Photo(seed uint64) []byte { return nil }

// PDF returns a one-page (or longer) A4 document.
func PDF(title string, lines []string) []byte { return nil }
