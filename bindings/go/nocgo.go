//go:build !cgo

package sluice

// The gateway is a C library. Without cgo there is nothing to call it with, and the line below is how the compiler says so.
var _ = sluice_needs_cgo_so_build_with_CGO_ENABLED_1_and_a_C_compiler_and_libsluice_c
