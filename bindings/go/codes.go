package sluice

// The codes, as capi/include/sluice/error.h numbers them; a test compares the two.
const (
	CodeOK Code = 0

	// The request is not one sluice can serve: the caller changes it.
	CodeInvalidRequest       Code = 1
	CodeInvalidHeader        Code = 2
	CodeInvalidJSON          Code = 3
	CodeDuplicateKey         Code = 4
	CodeInvalidModel         Code = 5
	CodeJSONTooDeep          Code = 6
	CodeUnauthorized         Code = 7
	CodeConsumerNotAllowed   Code = 8
	CodeModelNotAllowed      Code = 9
	CodeRouteNotFound        Code = 10
	CodeMethodNotAllowed     Code = 11
	CodeRequestTimeout       Code = 12
	CodeLengthRequired       Code = 13
	CodeBodyTooLarge         Code = 14
	CodeUnsupportedMediaType Code = 15
	CodeUnsupportedEncoding  Code = 16
	CodeHeaderTooLarge       Code = 17
	CodeAmbiguousCredentials Code = 18
	CodeExpectationFailed    Code = 19
	CodeUnsupportedProtocol  Code = 20
	CodeJSONTooLarge         Code = 21
	CodeUnsupportedParameter Code = 22
	CodeInvalidParameter     Code = 23
	CodeInvalidURL           Code = 24
	CodeAddressNotAllowed    Code = 25
	CodeUnsupportedOperation Code = 26
	CodeOriginNotAllowed     Code = 27

	// The gateway will not or cannot take it now.
	CodeNoBackendAvailable Code = 40
	CodeOverloaded         Code = 41
	CodeShuttingDown       Code = 42
	CodeQueueFull          Code = 43
	CodeQueueTimeout       Code = 44
	CodeTooManyConnections Code = 45

	// The upstream, or the way to it.
	CodeUpstreamResolveFailed   Code = 60
	CodeUpstreamConnectFailed   Code = 61
	CodeUpstreamTLSFailed       Code = 62
	CodeUpstreamReset           Code = 63
	CodeUpstreamProtocolError   Code = 64
	CodeUpstreamRedirect        Code = 65
	CodeUpstreamStatus          Code = 66
	CodeUpstreamTruncated       Code = 67
	CodeUpstreamHeadTooLarge    Code = 68
	CodeUpstreamAnswerTooLarge  Code = 69
	CodeUpstreamDecodedTooLarge Code = 70
	CodeUpstreamInvalidAnswer   Code = 71
	CodeUpstreamEventTooLarge   Code = 72
	CodeUpstreamError           Code = 73
	CodeUpstreamCredential      Code = 74
	CodeAddressRefused          Code = 75
	CodeConnectTimeout          Code = 76
	CodeHeadersTimeout          Code = 77
	CodeFirstDeltaTimeout       Code = 78
	CodeIdleTimeout             Code = 79
	CodeTotalTimeout            Code = 80

	// The life of the gateway and of one exchange.
	CodeCancelled     Code = 100
	CodeClosed        Code = 101
	CodeWouldDeadlock Code = 102
	CodeForked        Code = 103
	CodeOutOfMemory   Code = 104
	CodeInternal      Code = 105

	// Loading a configuration and opening things.
	CodeInvalidConfiguration Code = 120
	CodeSecretMissing        Code = 121
	CodeFileUnreadable       Code = 122
	CodeAddressInUse         Code = 123
	CodeSystem               Code = 124

	// Plugins.
	CodePluginError   Code = 140
	CodePluginTimeout Code = 141

	// What the built-in plugin `limits` finds too large.
	CodePromptTooLarge           Code = 150
	CodeTooManyMessages          Code = 151
	CodeTooManyParts             Code = 152
	CodeTooManyTools             Code = 153
	CodeTooManyAttachments       Code = 154
	CodeAttachmentTooLarge       Code = 155
	CodeAttachmentTypeNotAllowed Code = 156
	CodeTooManyInputs            Code = 157
	CodeInputTooLarge            Code = 158
	CodeTooManyDimensions        Code = 159
	CodeAnswerTooLarge           Code = 160
)
