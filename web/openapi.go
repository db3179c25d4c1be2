package web

import (
	_ "embed"
	"net/http"

	"sira/web/problem"
)

//go:embed openapi.json
var openapiJSON []byte

// openapi answers the API's description.
func (s *Server) openapi(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	if len(openapiJSON) == 0 {
		return problem.New("not-found")
	}
	return writeCompressed(w, r, http.StatusOK, openapiJSON)
}
