// Package all imports the components that this project's configurations name, of some two hundred that Alloy has: that builds in
// minutes, and not in an hour.
package all

import (
	_ "github.com/grafana/alloy/internal/component/discovery/docker"
	_ "github.com/grafana/alloy/internal/component/discovery/relabel"
	_ "github.com/grafana/alloy/internal/component/local/file_match"
	_ "github.com/grafana/alloy/internal/component/loki/process"
	_ "github.com/grafana/alloy/internal/component/loki/source/docker"
	_ "github.com/grafana/alloy/internal/component/loki/source/file"
	_ "github.com/grafana/alloy/internal/component/loki/write"
)
