module sluice.example/rivals/bifrost

go 1.26.4

require (
	github.com/maximhq/bifrost/core v1.6.2
	sluice.example/rivals v0.0.0
)

replace (
	sluice.example/rivals => ../go
	sluice.example/sluice => ../../../bindings/go
)
