package alloycli

import "github.com/spf13/cobra"

// validateCommand needs a syntax module that was never released by itself.
func validateCommand() *cobra.Command { return &cobra.Command{Use: "validate", Hidden: true} }
