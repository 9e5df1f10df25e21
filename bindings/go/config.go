package sluice

import (
	"encoding/json"
	"fmt"

	"sluice.example/sluice/internal/abi"
)

// A configuration is given as what is at hand:
//
//	"gateway.json"                 the path of a file
//	[]byte, json.RawMessage        the JSON document itself
//	anything else                  a struct or map that encoding/json makes the document of
//
// docs/configuration.md has every key.
type configuration struct {
	path string
	json []byte
}

func configurationOf(config interface{}) (configuration, error) {
	switch c := config.(type) {
	case nil:
		return configuration{}, failed(CodeInvalidConfiguration, "there is no configuration; give a path, JSON bytes, or what becomes JSON")
	case string:
		return configuration{path: c}, nil
	case []byte:
		return configuration{json: c}, nil
	case json.RawMessage:
		return configuration{json: c}, nil
	}
	document, err := json.Marshal(config)
	if err != nil {
		return configuration{}, failed(CodeInvalidConfiguration, fmt.Sprintf("the configuration, a %T, is not what JSON can be made of: %v", config, err))
	}
	return configuration{json: document}, nil
}

// Check judges a configuration document without opening anything; no secret is read. The error names every mistake, one a line.
func Check(document []byte) error { return errorOf(abi.Check(document)) }

// ConfigSchema is the JSON Schema of the configuration document.
func ConfigSchema() json.RawMessage { return abi.Schema() }

// Version is that of the library that was loaded.
func Version() string { return abi.Version() }
