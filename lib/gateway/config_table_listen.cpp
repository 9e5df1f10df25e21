// The table of what a listener proves itself with.

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

Codec<ListenCertificate> certificate() {
  using C = ListenCertificate;
  return object<C>("A certificate", "What the listener proves itself with: two PEM files, read at load and at reload.",
                   {required(field("certificate", &C::certificate, text(), "The certificate, then those between it and its root.",
                                   "\"/etc/sluice/tls/fullchain.pem\"")),
                    required(field("key", &C::key, text(), "Its private key, without a passphrase.", "\"/etc/sluice/tls/key.pem\"")),
                    field("names", &C::names, texts(),
                          "Host names it is shown for, as clients ask for them (SNI). Unset: the names it states itself. Of two "
                          "certificates for one name the first is shown.",
                          "[\"api.example.com\", \"*.example.org\"]")});
}

Codec<ClientCertificates> client_certificates() {
  using C = ClientCertificates;
  return object<C>("Client certificates", "Clients prove themselves with certificates; which consumer one is says its entry in `certificates`.",
                   {required(field("ca_file", &C::ca_file, text(), "PEM bundle: whoever these sign may connect.", "\"/etc/sluice/tls/clients.pem\"")),
                    field("required", &C::required, boolean(),
                          "Refuses the handshake of a client without one. false: it may connect, and needs a key.")});
}

}  // namespace

Codec<ListenTls> listen_tls() {
  using T = ListenTls;
  return object<T>("TLS of a listener", "TLS 1.2 and later, with HTTP/1.1 on it (ALPN). A reload reads the files again; connections go on.",
                   {required(field("certificates", &T::certificates, list_of(certificate()),
                                   "The first is for clients that ask for no name, or for one that none has.")),
                    field("min_version", &T::min_version, choice<std::string>({{"1.2", "1.2"}, {"1.3", "1.3"}}), "The oldest version that is spoken.",
                          "\"1.3\""),
                    maybe("clients", &T::clients, client_certificates(), "Asks clients for certificates. Unset: none is asked for."),
                    field("handshake_timeout_ms", &T::handshake_timeout, milliseconds(1), "From accepting a connection to the end of its handshake.")});
}

}  // namespace sluice::gateway::config
