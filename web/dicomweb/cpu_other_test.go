//go:build !unix

package dicomweb_test

import "time"

func cpu() time.Duration { return 0 }
