//go:build !cgo

package abi

// The gateway is a C library. Without cgo there is nothing to call it with, and the line below is how the compiler says so. It
// stands here, below everything that is built, or the compiler would stop at a package without files.
var _ = sluice_needs_cgo_so_build_with_CGO_ENABLED_1_and_a_C_compiler_and_libsluice_c
