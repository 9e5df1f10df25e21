// Certificates into contexts. Every OpenSSL call that fails leaves its reasons in the thread's queue; they are read or
// thrown away here, because the next reader is somebody else.

#include "auth/server_tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "auth/api_key.hpp"

namespace sluice::auth {
namespace {

constexpr std::size_t kFileBytes = 4u << 20;     // a bundle of every authority there is has a fifth of it
constexpr long kSessionSeconds = 3600;
constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};  // as ALPN lists it
// TLS 1.2: forward secrecy and authenticated encryption, nothing else. 1.3 has nothing else.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Store = std::unique_ptr<X509_STORE, Freer<X509_STORE_free>>;
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;

/// Never asks a terminal; that it was asked says why the key could not be read.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// Collects what is wrong, each behind its place.
class Problems {
 public:
  explicit Problems(std::string pointer) : pointer_(std::move(pointer)) {}
  void add(const std::string& place, const std::string& what) {
    if (!text_.empty()) text_ += '\n';
    text_ += pointer_ + place + ": " + what;
  }
  [[nodiscard]] bool none() const noexcept { return text_.empty(); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string pointer_, text_;
};

std::optional<std::string> contents(const std::string& path, const std::string& place, Problems& problems) {
  const std::unique_ptr<std::FILE, Freer<std::fclose>> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    problems.add(place, "cannot open '" + path + "': " + std::strerror(errno));
    return std::nullopt;
  }
  std::string text;
  std::array<char, 8192> part;
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part.data(), n);
    if (text.size() <= kFileBytes) continue;
    problems.add(place, "'" + path + "' has more than 4 MiB; a PEM file is meant");
    return std::nullopt;
  }
  if (std::ferror(file.get()) != 0) {
    problems.add(place, "cannot read '" + path + "': " + std::strerror(errno));
    return std::nullopt;
  }
  return text;
}

Bio reader(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::vector<Certificate> certificates_in(const std::string& pem) {
  std::vector<Certificate> all;
  const Bio bio = reader(pem);
  while (bio) {
    Certificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    all.push_back(std::move(next));
  }
  ERR_clear_error();
  return all;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// The alternative names of `kinds`, as they stand there. One that holds a NUL is nobody's name.
std::vector<std::string> names_of(const X509& certificate, std::initializer_list<int> kinds) {
  std::vector<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    for (const int kind : kinds) {
      if (name->type != kind) continue;
      const ASN1_STRING* text = name->d.ia5;  // DNS, URI and e-mail names share their form
      const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text)));
      if (bytes.find('\0') == std::string_view::npos) out.emplace_back(bytes);
    }
  }
  GENERAL_NAMES_free(names);
  ERR_clear_error();
  return out;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kHttp11.data(), kHttp11.size(), offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // who speaks HTTP/2 alone would be answered in what it cannot read
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

/// What all contexts of a listener have in common.
Context new_context(const ListenTls& options) {
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return context;
  SSL_CTX* c = context.get();
  SSL_CTX_set_min_proto_version(c, options.min_version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(c, kCiphers12);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // A connection that lies idle keeps no buffers; what the socket did not take may be offered again from elsewhere.
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(c, 1);  // a record in one read, not its five bytes of head first
  // Tickets alone: a cache of sessions would be memory that clients fill.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(c, kSessionSeconds);
  SSL_CTX_set_num_tickets(c, 1);
  static constexpr std::array<unsigned char, 6> kId{'s', 'l', 'u', 'i', 'c', 'e'};
  SSL_CTX_set_session_id_context(c, kId.data(), kId.size());
  SSL_CTX_set_alpn_select_cb(c, &choose_protocol, nullptr);
  return context;
}

/// Puts one certificate, those above it and its key into `context`. False where something is wrong, which is told.
bool equip(SSL_CTX* context, const std::vector<Certificate>& chain, const ListenCertificate& files, const std::string& key_pem,
           const std::string& place, Problems& problems) {
  bool encrypted = false;
  const Bio bio = reader(key_pem);
  const Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, &encrypted) : nullptr);
  ERR_clear_error();
  if (!key) {
    problems.add(place + "/key", encrypted ? "the key in '" + files.key + "' is encrypted; store it without a passphrase"
                                           : "'" + files.key + "' holds no private key in PEM form");
    return false;
  }
  const bool fits = X509_check_private_key(chain.front().get(), key.get()) == 1;
  bool taken = fits && SSL_CTX_use_certificate(context, chain.front().get()) == 1 && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
  for (std::size_t i = 1; taken && i < chain.size(); ++i) taken = SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
  const unsigned long why = ERR_peek_last_error();
  const char* reason = why != 0 ? ERR_reason_error_string(why) : nullptr;
  if (!fits) {
    problems.add(place + "/key", "the key in '" + files.key + "' is not the one of the certificate in '" + files.certificate + "'");
  } else if (!taken) {
    problems.add(place + "/certificate", "'" + files.certificate + "' cannot be used: " + (reason != nullptr ? reason : "out of memory"));
  }
  ERR_clear_error();
  return taken;
}

/// The store of who signs clients' certificates; null where something is wrong, which is told.
Store authorities(const std::vector<Certificate>& all) {
  Store store(X509_STORE_new());
  for (const Certificate& one : all) {
    if (!store || X509_STORE_add_cert(store.get(), one.get()) != 1) store.reset();
  }
  ERR_clear_error();
  return store;
}

void demand_certificates(SSL_CTX* context, const ClientCertificates& clients, const std::vector<Certificate>& all, X509_STORE* store) {
  SSL_CTX_set1_verify_cert_store(context, store);
  for (const Certificate& one : all) SSL_CTX_add_client_CA(context, one.get());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (clients.required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
}

}  // namespace

void SslFree::operator()(ssl_st* session) const noexcept { SSL_free(session); }
void ServerTls::ContextFree::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }
ServerTls::~ServerTls() = default;

Result<std::shared_ptr<const ServerTls>> ServerTls::load(const ListenTls& options, const std::string& pointer,
                                                         const std::shared_ptr<const ServerTls>& before) {
  Problems problems(pointer);
  struct Files {
    std::string certificate, key;
  };
  std::vector<Files> files;
  std::string everything = options.min_version;
  const auto note = [&everything](std::string_view part) { everything.append(std::to_string(part.size())).append(1, ':').append(part); };
  for (std::size_t i = 0; i < options.certificates.size(); ++i) {
    const ListenCertificate& one = options.certificates[i];
    const std::string place = "/certificates/" + std::to_string(i);
    auto certificate = contents(one.certificate, place + "/certificate", problems);
    auto key = contents(one.key, place + "/key", problems);
    files.push_back({std::move(certificate).value_or(""), std::move(key).value_or("")});
    note(files.back().certificate);
    note(files.back().key);
    for (const std::string& name : one.names) note(name);
    note("|");
  }
  std::string authority_pem;
  if (options.clients) {
    authority_pem = contents(options.clients->ca_file, "/clients/ca_file", problems).value_or("");
    note(authority_pem);
    note(options.clients->required ? "required" : "wanted");
  }
  if (!problems.none()) return fail(Code::kInvalidConfiguration, problems.text());
  const Digest digest = sha256(everything);
  OPENSSL_cleanse(everything.data(), everything.size());
  const std::string made_of(digest.begin(), digest.end());
  if (before != nullptr && before->made_of_ == made_of) return before;

  std::shared_ptr<ServerTls> out(new ServerTls);
  out->made_of_ = made_of;
  const std::vector<Certificate> roots = certificates_in(authority_pem);
  Store store;
  if (options.clients) {
    if (roots.empty()) problems.add("/clients/ca_file", "'" + options.clients->ca_file + "' holds no certificate in PEM form");
    store = authorities(roots);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ListenCertificate& one = options.certificates[i];
    const std::string place = "/certificates/" + std::to_string(i);
    const std::vector<Certificate> chain = certificates_in(files[i].certificate);
    if (chain.empty()) {
      problems.add(place + "/certificate", "'" + one.certificate + "' holds no certificate in PEM form");
      continue;
    }
    Context context = new_context(options);
    if (!context || (options.clients && !store)) return fail(Code::kSystem, "memory is out");
    if (!equip(context.get(), chain, one, files[i].key, place, problems)) continue;
    if (options.clients) demand_certificates(context.get(), *options.clients, roots, store.get());
    SSL_CTX_set_tlsext_servername_callback(context.get(), &ServerTls::choose_by_name);
    SSL_CTX_set_tlsext_servername_arg(context.get(), out.get());
    // The first that has a name keeps it.
    for (const std::string& name : one.names.empty() ? names_of(*chain.front(), {GEN_DNS}) : one.names) {
      out->by_name_.emplace(lower(name.starts_with("*.") ? std::string_view(name).substr(1) : name), context.get());
    }
    out->contexts_.emplace_back(context.release());
  }
  for (Files& one : files) OPENSSL_cleanse(one.key.data(), one.key.size());
  if (!problems.none()) return fail(Code::kInvalidConfiguration, problems.text());
  if (out->contexts_.empty()) return fail(Code::kInvalidConfiguration, pointer + "/certificates: none is listed");
  return out;
}

TlsSession ServerTls::open() const noexcept {
  TlsSession session(SSL_new(contexts_.front().get()));
  if (session) SSL_set_accept_state(session.get());
  return session;
}

ssl_ctx_st* ServerTls::context_for(std::string_view asked) const {
  const std::string name = lower(asked);
  auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    const std::size_t dot = name.find('.');  // a wildcard stands for one label
    if (dot != std::string::npos) found = by_name_.find(name.substr(dot));
  }
  return found == by_name_.end() ? nullptr : found->second;
}

int ServerTls::choose_by_name(SSL* session, int*, void* self) {
  const char* name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* context = static_cast<const ServerTls*>(self)->context_for(name);
  if (context == nullptr) return SSL_TLSEXT_ERR_NOACK;  // the default one; the client is the one to judge it
  if (context != SSL_get_SSL_CTX(session)) SSL_set_SSL_CTX(session, context);
  return SSL_TLSEXT_ERR_OK;
}

std::optional<PeerCertificate> ServerTls::peer_of(SSL& session) {
  const X509* certificate = SSL_get0_peer_certificate(&session);
  if (certificate == nullptr) return std::nullopt;
  PeerCertificate out;
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), out.sha256.data(), &size) != 1 || size != out.sha256.size()) return std::nullopt;
  out.names = names_of(*certificate, {GEN_DNS, GEN_URI, GEN_EMAIL});
  return out;
}

bool ServerTls::still_valid(SSL& session) noexcept {
  const X509* certificate = SSL_get0_peer_certificate(&session);
  return certificate == nullptr || SSL_session_reused(&session) == 0 || X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

}  // namespace sluice::auth
