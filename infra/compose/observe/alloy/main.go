// Alloy without the integrations of its predecessor.
package main

import (
	"github.com/grafana/alloy/internal/alloycli"
	"github.com/grafana/alloy/internal/build"
)

func main() {
	build.Version = fallbackVersion()
	alloycli.Run()
}
