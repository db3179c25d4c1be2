package web

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"sync"

	"sira/web/assets"
	"sira/web/problem"
)

//go:embed all:dist
var dist embed.FS

// appRoutes are the interface's own addresses; each is answered by index.html.
var appRoutes = regexp.MustCompile(`^/(nouvelle|connexion|invitation|recus|quarantaine|administration|dossier/[0-9a-fA-F-]{36}(/(images/[0-9.]{1,64}|appel))?)/?$`)

// loadSite compresses the interface once for all servers of the process: it is
// in the binary and never changes.
var loadSite = sync.OnceValues(func() (*assets.Site, error) {
	tree, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("opening the interface: %w", err)
	}
	site, err := assets.Load(tree)
	if err != nil {
		return nil, err
	}
	site.AppRoute = appRoutes.MatchString
	return site, nil
})

// page answers the interface's files and routes.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		problem.New("method").Write(w, requestOf(r.Context()).id)
		return
	}
	s.site.ServeHTTP(w, r)
}
