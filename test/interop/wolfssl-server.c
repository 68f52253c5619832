/*
 * A TLS server over wolfSSL for tests: echoes what it receives, one connection after the other,
 * and staples OCSP responses, by status_request or status_request_v2 as the client asks: those that it is given as
 * files, or those that a responder gives it.
 *
 *   wolfssl-server -v 3|4 -c CHAIN -k KEY [-A CA]... [-s STAPLE]... [-u URL] [-r CLIENT-CA] [-a ALPN]
 *
 * -A  the issuers of the staples: wolfSSL verifies a response before it staples it
 * -s  a DER response; wolfSSL asks for one per certificate, and gets the one with its CertID
 * -u  the responder that wolfSSL asks over HTTP, whatever the certificate says
 * -r  requires a client certificate that this CA issued
 *
 * It listens on a free port of 127.0.0.1, which it prints, and ends by itself after LIFETIME seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#if !defined(HAVE_CERTIFICATE_STATUS_REQUEST) || !defined(HAVE_CERTIFICATE_STATUS_REQUEST_V2)
#error "this wolfSSL cannot staple"
#endif

enum { LIFETIME = 120, MAX_STAPLES = 8, MAX_FILE = 65536 };

typedef struct {
    unsigned char bytes[MAX_FILE];
    size_t length;
} File;

static File staples[MAX_STAPLES];
static int staple_count;

typedef struct {
    char *alpn;
    const char *responder;
} Options;

static void fail(const char *what) {
    fprintf(stderr, "wolfssl-server: %s\n", what);
    exit(1);
}

static void check(int result, const char *what) {
    if (result != WOLFSSL_SUCCESS) {
        char text[WOLFSSL_MAX_ERROR_SZ];
        fprintf(stderr, "wolfssl-server: %s: %s\n", what, wolfSSL_ERR_error_string(result, text));
        exit(1);
    }
}

static void read_staple(const char *path) {
    FILE *stream = fopen(path, "rb");
    if (!stream || staple_count == MAX_STAPLES) fail(path);
    File *file = &staples[staple_count++];
    file->length = fread(file->bytes, 1, MAX_FILE, stream);
    fclose(stream);
}

/* The contents of the DER element at `at`; `*length` becomes theirs. */
static const unsigned char *contents(const unsigned char *at, size_t *length) {
    size_t n = at[1];
    if (n < 0x80) {
        *length = n;
        return at + 2;
    }
    *length = 0;
    for (size_t i = 0; i < (n & 0x7f); i++) *length = *length << 8 | at[2 + i];
    return at + 2 + (n & 0x7f);
}

/*
 * The CertID's hashes and serial, behind its AlgorithmIdentifier, in the request that wolfSSL made:
 * OCSPRequest, TBSRequest, requestList, Request, CertID (RFC 6960 4.1.1); wolfSSL writes no version.
 */
static const unsigned char *cert_id(const unsigned char *request, size_t *length) {
    size_t skipped;
    for (int depth = 0; depth < 5; depth++) request = contents(request, length);
    const unsigned char *hashes = contents(request, &skipped) + skipped;
    *length -= (size_t)(hashes - request);
    return hashes;
}

/* The OCSPResponse that says tryLater. wolfSSL 5.5 refuses the client where the lookup of a staple fails altogether. */
static unsigned char try_later[] = {0x30, 3, 0x0a, 1, 3};

/* What wolfSSL calls instead of asking a responder: the staple with the request's CertID. */
static int lookup(void *context, const char *url, int url_length, unsigned char *request,
                  int request_length, unsigned char **response) {
    (void)context, (void)url, (void)url_length, (void)request_length;
    size_t length;
    const unsigned char *id = cert_id(request, &length);
    for (int i = 0; i < staple_count; i++) {
        if (memmem(staples[i].bytes, staples[i].length, id, length)) {
            *response = staples[i].bytes;
            return (int)staples[i].length;
        }
    }
    *response = try_later;
    return sizeof try_later;
}

static void keep(void *context, unsigned char *response) {
    (void)context, (void)response;
}

static WOLFSSL_CTX *context_for(int version) {
    wolfSSL_Init();
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(version == 4 ? wolfTLSv1_3_server_method() : wolfTLSv1_2_server_method());
    if (!ctx) fail("no context");
    return ctx;
}

/* With files the URL is never asked, but wolfSSL wants one where the certificate has none. */
static void enable_stapling(WOLFSSL_CTX *ctx, const char *responder) {
    check(wolfSSL_CTX_EnableOCSP(ctx, WOLFSSL_OCSP_URL_OVERRIDE), "EnableOCSP");
    check(wolfSSL_CTX_EnableOCSPStapling(ctx), "EnableOCSPStapling");
    check(wolfSSL_CTX_SetOCSP_OverrideURL(ctx, responder ? responder : "http://127.0.0.1/"), "SetOCSP_OverrideURL");
    if (!responder) check(wolfSSL_CTX_SetOCSP_Cb(ctx, lookup, keep, NULL), "SetOCSP_Cb");
}

static WOLFSSL_CTX *configure(int argc, char **argv, Options *options) {
    WOLFSSL_CTX *ctx = NULL;
    for (int option; (option = getopt(argc, argv, "v:c:k:A:s:u:r:a:")) != -1;) {
        if (option == 'v') ctx = context_for(atoi(optarg));
        else if (!ctx) fail("-v comes first");
        else if (option == 'c') check(wolfSSL_CTX_use_certificate_chain_file(ctx, optarg), optarg);
        else if (option == 'k') check(wolfSSL_CTX_use_PrivateKey_file(ctx, optarg, SSL_FILETYPE_PEM), optarg);
        else if (option == 'A') check(wolfSSL_CTX_load_verify_locations(ctx, optarg, NULL), optarg);
        else if (option == 's') read_staple(optarg);
        else if (option == 'u') options->responder = optarg;
        else if (option == 'a') options->alpn = optarg;
        else if (option == 'r') {
            check(wolfSSL_CTX_load_verify_locations(ctx, optarg, NULL), optarg);
            wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        } else fail("unknown option");
    }
    if (!ctx) fail("-v is needed");
    if (staple_count > 0 || options->responder) enable_stapling(ctx, options->responder);
    return ctx;
}

static int listen_on_loopback(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, 5)) fail("listen");
    getsockname(fd, (struct sockaddr *)&address, &length);
    printf("ACCEPT 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void report(WOLFSSL *ssl, const char *what, int result) {
    char text[WOLFSSL_MAX_ERROR_SZ];
    int error = wolfSSL_get_error(ssl, result);
    if (error == WOLFSSL_ERROR_ZERO_RETURN) return;
    fprintf(stderr, "%s: %d %s\n", what, error, wolfSSL_ERR_error_string((unsigned long)error, text));
}

static void echo(WOLFSSL *ssl) {
    char buffer[16384];
    int length;
    while ((length = wolfSSL_read(ssl, buffer, sizeof buffer)) > 0) wolfSSL_write(ssl, buffer, length);
    report(ssl, "read", length);
    wolfSSL_shutdown(ssl);
}

static void serve(WOLFSSL_CTX *ctx, int fd, char *alpn) {
    WOLFSSL *ssl = wolfSSL_new(ctx);
    wolfSSL_set_fd(ssl, fd);
    if (alpn) wolfSSL_UseALPN(ssl, alpn, (unsigned)strlen(alpn), WOLFSSL_ALPN_FAILED_ON_MISMATCH);
    int result = wolfSSL_accept(ssl);
    if (result == WOLFSSL_SUCCESS) echo(ssl);
    else report(ssl, "accept", result);
    wolfSSL_free(ssl);
    close(fd);
}

int main(int argc, char **argv) {
    Options options = {0};
    alarm(LIFETIME);
    WOLFSSL_CTX *ctx = configure(argc, argv, &options);
    int listener = listen_on_loopback();
    for (;;) serve(ctx, accept(listener, NULL, NULL), options.alpn);
}
