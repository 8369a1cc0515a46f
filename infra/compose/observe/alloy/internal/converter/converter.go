// Package converter converts nothing: the configurations of other programs would bring all their components.
package converter

import "github.com/grafana/alloy/internal/converter/diag"

// Input is the name of a format.
type Input string

// SupportedFormats has none.
var SupportedFormats = []string{}

// Convert is never called, as no format is supported.
func Convert(in []byte, _ Input, _ []string) ([]byte, diag.Diagnostics) { return in, nil }
