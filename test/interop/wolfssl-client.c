/*
 * A TLS client over wolfSSL for tests, with the flags of wolfSSL's example client: sends a line and prints what
 * comes back, then how the session went.
 *
 *   wolfssl-client -p PORT [-h HOST] [-v 3|4] [-A CA] [-W 1|2|3] [-n] [-m] [-S SNI] [-c CERT -k KEY] [-r] [-T 1|2|3:HEX]
 *
 * -W  asks for a staple: 1 by status_request, 2 by status_request_v2 (ocsp), 3 by status_request_v2 (ocsp_multi)
 * -n  asks for a nonce in it
 * -m  must staple: refuses a server without a staple
 * -S  the name to ask for, which the certificate must be for
 * -T  names a CA in trusted_ca_keys: by its key's SHA-1, its name in DER, its certificate's SHA-1
 * -r  connects once more and resumes the session, by a ticket or its number, if the server allows
 *
 * It exits with 0 when all went well, else with 1 and wolfSSL's error, and ends by itself after LIFETIME seconds.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#if !defined(HAVE_CERTIFICATE_STATUS_REQUEST) || !defined(HAVE_CERTIFICATE_STATUS_REQUEST_V2)
#error "this wolfSSL cannot ask for staples"
#endif

enum { LIFETIME = 30, HANDSHAKE = 22, CERTIFICATE_STATUS = 22 };

typedef struct {
    const char *host, *ca, *name, *certificate, *key, *trusted;
    int port, version, stapling, nonce, must_staple, resume;
} Options;

static void fail(const char *what) {
    printf("wolfssl-client: %s\n", what);
    exit(1);
}

static void check(int result, const char *what) {
    if (result != WOLFSSL_SUCCESS) {
        char text[WOLFSSL_MAX_ERROR_SZ];
        printf("wolfssl-client: %s: %d %s\n", what, result, wolfSSL_ERR_error_string((unsigned long)result, text));
        exit(1);
    }
}

static Options parse(int argc, char **argv) {
    Options o = {.host = "127.0.0.1", .version = 3};
    for (int option; (option = getopt(argc, argv, "h:p:v:A:W:S:c:k:T:nmr")) != -1;) {
        if (option == 'h') o.host = optarg;
        else if (option == 'p') o.port = atoi(optarg);
        else if (option == 'v') o.version = atoi(optarg);
        else if (option == 'A') o.ca = optarg;
        else if (option == 'W') o.stapling = atoi(optarg);
        else if (option == 'S') o.name = optarg;
        else if (option == 'c') o.certificate = optarg;
        else if (option == 'k') o.key = optarg;
        else if (option == 'T') o.trusted = optarg;
        else if (option == 'n') o.nonce = 1;
        else if (option == 'm') o.must_staple = 1;
        else if (option == 'r') o.resume = 1;
        else fail("unknown option");
    }
    return o;
}

static WOLFSSL_CTX *configure(const Options *o) {
    wolfSSL_Init();
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(o->version == 4 ? wolfTLSv1_3_client_method() : wolfTLSv1_2_client_method());
    if (!ctx) fail("no context");
    // Debian builds wolfSSL with OpenSSL's defaults, of which one is to verify nothing
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER, NULL);
    if (o->ca) check(wolfSSL_CTX_load_verify_locations(ctx, o->ca, NULL), o->ca);
    if (o->certificate) check(wolfSSL_CTX_use_certificate_chain_file(ctx, o->certificate), o->certificate);
    if (o->key) check(wolfSSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM), o->key);
    if (o->stapling) check(wolfSSL_CTX_EnableOCSPStapling(ctx), "EnableOCSPStapling");
    if (o->resume) check(wolfSSL_CTX_UseSessionTicket(ctx), "UseSessionTicket");
    if (o->must_staple) check(wolfSSL_CTX_EnableOCSPMustStaple(ctx), "EnableOCSPMustStaple");
    return ctx;
}

static void ask_for_staples(WOLFSSL *ssl, const Options *o) {
    if (o->stapling == 1) {
        byte flags = o->nonce ? WOLFSSL_CSR_OCSP_USE_NONCE : 0;
        check(wolfSSL_UseOCSPStapling(ssl, WOLFSSL_CSR_OCSP, flags), "UseOCSPStapling");
    } else if (o->stapling > 1) {
        byte type = o->stapling == 2 ? WOLFSSL_CSR2_OCSP : WOLFSSL_CSR2_OCSP_MULTI;
        byte flags = o->nonce ? WOLFSSL_CSR2_OCSP_USE_NONCE : 0;
        check(wolfSSL_UseOCSPStaplingV2(ssl, type, flags), "UseOCSPStaplingV2");
    }
}

static void ask_for_name(WOLFSSL *ssl, const char *name) {
    check(wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, name, (unsigned short)strlen(name)), "UseSNI");
    check(wolfSSL_check_domain_name(ssl, name), "check_domain_name");
}

/* Beside the type, what names the CA, in hexadecimal. */
static void name_authority(WOLFSSL *ssl, const char *trusted) {
    unsigned char id[256];
    unsigned int size = 0;
    for (const char *at = trusted + 2; *at && size < sizeof id && sscanf(at, "%2hhx", &id[size]) == 1; at += 2) size++;
    check(wolfSSL_UseTrustedCA(ssl, (unsigned char)(trusted[0] - '0'), id, size), "UseTrustedCA");
}

static size_t u24(const unsigned char *at) {
    return (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
}

/* Prints the lengths of the responses in a CertificateStatus of TLS 1.2 (RFC 6961 2.2), none as 0. */
static void print_status(const unsigned char *body, size_t length) {
    const unsigned char *end = body + length, *at = body + 1;
    printf("certificate_status: type %d,", body[0]);
    if (body[0] == WOLFSSL_CSR2_OCSP_MULTI) at += 3;
    for (; end - at >= 3; at += 3 + u24(at)) printf(" %zu", u24(at));
    printf(" bytes\n");
}

/* Sees the handshake messages that come in the clear, with their headers. */
static void observe(int sent, int version, int content, const void *bytes, size_t length, WOLFSSL *ssl, void *arg) {
    (void)version, (void)ssl, (void)arg;
    const unsigned char *message = bytes;
    if (!sent && content == HANDSHAKE && length > 4 && message[0] == CERTIFICATE_STATUS)
        print_status(message + 4, length - 4);
}

/* In TLS 1.3 the time of the leaf's staple is all there is to see of it. */
static void print_produced_at(WOLFSSL *ssl) {
    unsigned char date[MAX_DATE_SIZE];
    int format;
    if (wolfSSL_get_ocsp_producedDate(ssl, date, sizeof date, &format) == 0) printf("staple produced at %s\n", date);
}

static int dial(const Options *o) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)o->port)};
    if (inet_pton(AF_INET, o->host, &address.sin_addr) != 1) fail("-h takes an IPv4 address");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("nobody listens");
    return fd;
}

static void refuse(WOLFSSL *ssl, const char *what, int result) {
    char text[WOLFSSL_MAX_ERROR_SZ];
    int error = wolfSSL_get_error(ssl, result);
    printf("%s: %d %s\n", what, error, wolfSSL_ERR_error_string((unsigned long)error, text));
    wolfSSL_free(ssl);
    exit(1);
}

/* A line there and back; a ticket of TLS 1.3 comes with the answer. */
static void talk(WOLFSSL *ssl) {
    static const char line[] = "hello wolfssl!\n";
    char answer[256];
    int length = wolfSSL_write(ssl, line, sizeof line - 1);
    if (length <= 0) refuse(ssl, "write", length);
    length = wolfSSL_read(ssl, answer, sizeof answer);
    if (length <= 0) refuse(ssl, "read", length);
    printf("received: %.*s\n", length, answer);
}

/* One connection; its session, to go on from. */
static WOLFSSL_SESSION *converse(WOLFSSL_CTX *ctx, const Options *o, WOLFSSL_SESSION *from) {
    WOLFSSL *ssl = wolfSSL_new(ctx);
    ask_for_staples(ssl, o);
    if (o->name) ask_for_name(ssl, o->name);
    if (o->trusted) name_authority(ssl, o->trusted);
    if (from) wolfSSL_set_session(ssl, from); // refused where the server left nothing to go on from
    wolfSSL_set_msg_callback(ssl, observe);
    wolfSSL_set_fd(ssl, dial(o));
    int result = wolfSSL_connect(ssl);
    if (result != WOLFSSL_SUCCESS) refuse(ssl, "connect", result);
    printf("%s %s%s\n", wolfSSL_get_version(ssl), wolfSSL_get_cipher_name(ssl),
           wolfSSL_session_reused(ssl) ? ", resumed" : "");
    print_produced_at(ssl);
    talk(ssl);
    WOLFSSL_SESSION *session = wolfSSL_get1_session(ssl);
    wolfSSL_shutdown(ssl);
    close(wolfSSL_get_fd(ssl));
    wolfSSL_free(ssl);
    return session;
}

int main(int argc, char **argv) {
    alarm(LIFETIME);
    setvbuf(stdout, NULL, _IOLBF, 0);
    Options options = parse(argc, argv);
    WOLFSSL_CTX *ctx = configure(&options);
    WOLFSSL_SESSION *session = converse(ctx, &options, NULL);
    if (options.resume) converse(ctx, &options, session);
    return 0;
}
