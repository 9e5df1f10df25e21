module sluice.example/rivals

go 1.19

require sluice.example/sluice v0.0.0

replace sluice.example/sluice => ../../../bindings/go
