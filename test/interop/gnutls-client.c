/*
 * A TLS 1.3 client over GnuTLS for tests, whose certificate is stapled: gnutls-cli has no option for that. Sends a line
 * and prints what comes back.
 *
 *   gnutls-client -p PORT -A CA -S NAME -c CERT -k KEY [-O RESPONSES] [-n]
 *
 * -A  the root CA of the server, and the name that its certificate must be for, -S
 * -c  the client's own certificates and their key, PEM
 * -O  OCSP responses for those, PEM, each about one of them
 * -n  sends what they are, even that the certificate is revoked; of several GnuTLS then keeps the last alone
 *
 * It exits with 0 when all went well, else with 1 and GnuTLS's error, and ends by itself after LIFETIME seconds.
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIFETIME = 30 };

typedef struct {
    const char *ca, *name, *certificate, *key, *responses;
    int port, unchecked;
} Options;

static int check(int result, const char *what) {
    if (result < 0) {
        printf("%s: %d %s\n", what, result, gnutls_strerror(result));
        exit(1);
    }
    return result;
}

static Options parse(int argc, char **argv) {
    Options o = {0};
    for (int option; (option = getopt(argc, argv, "p:A:S:c:k:O:n")) != -1;) {
        if (option == 'p') o.port = atoi(optarg);
        else if (option == 'A') o.ca = optarg;
        else if (option == 'S') o.name = optarg;
        else if (option == 'c') o.certificate = optarg;
        else if (option == 'k') o.key = optarg;
        else if (option == 'O') o.responses = optarg;
        else if (option == 'n') o.unchecked = 1;
        else check(GNUTLS_E_INVALID_REQUEST, "unknown option");
    }
    return o;
}

static gnutls_certificate_credentials_t configure(const Options *o) {
    gnutls_certificate_credentials_t credentials;
    check(gnutls_certificate_allocate_credentials(&credentials), "credentials");
    check(gnutls_certificate_set_x509_trust_file(credentials, o->ca, GNUTLS_X509_FMT_PEM), o->ca);
    unsigned flags = o->unchecked ? GNUTLS_CERTIFICATE_SKIP_OCSP_RESPONSE_CHECK : 0;
    // Then the place of the certificates is returned, which the responses go with
    gnutls_certificate_set_flags(credentials, GNUTLS_CERTIFICATE_API_V2 | flags);
    int place = check(gnutls_certificate_set_x509_key_file(credentials, o->certificate, o->key, GNUTLS_X509_FMT_PEM), o->certificate);
    if (o->responses)
        check(gnutls_certificate_set_ocsp_status_request_file2(credentials, o->responses, (unsigned)place, GNUTLS_X509_FMT_PEM), o->responses);
    return credentials;
}

static int dial(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) check(GNUTLS_E_PUSH_ERROR, "nobody listens");
    return fd;
}

static gnutls_session_t open_session(const Options *o, gnutls_certificate_credentials_t credentials) {
    gnutls_session_t session;
    check(gnutls_init(&session, GNUTLS_CLIENT), "session");
    check(gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL), "priority");
    check(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials), "credentials");
    check(gnutls_server_name_set(session, GNUTLS_NAME_DNS, o->name, strlen(o->name)), o->name);
    gnutls_session_set_verify_cert(session, o->name, 0);
    // A macro, which names its argument twice
    int fd = dial(o->port);
    gnutls_transport_set_int(session, fd);
    return session;
}

/* An alert of the server's is its error, whenever it comes: in TLS 1.3 after our own part of the handshake. */
static void explain(gnutls_session_t session, int result, const char *what) {
    if (result == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        gnutls_alert_description_t alert = gnutls_alert_get(session);
        printf("alert %d %s\n", (int)alert, gnutls_alert_get_name(alert));
        exit(1);
    }
    check(result, what);
}

/* A line there and back. */
static void talk(gnutls_session_t session) {
    static const char line[] = "hello gnutls!\n";
    char answer[256];
    explain(session, (int)gnutls_record_send(session, line, sizeof line - 1), "send");
    int length;
    do length = (int)gnutls_record_recv(session, answer, sizeof answer);
    while (length == GNUTLS_E_AGAIN || length == GNUTLS_E_INTERRUPTED);
    explain(session, length, "receive");
    printf("received: %.*s\n", length, answer);
}

int main(int argc, char **argv) {
    alarm(LIFETIME);
    setvbuf(stdout, NULL, _IOLBF, 0);
    Options options = parse(argc, argv);
    gnutls_certificate_credentials_t credentials = configure(&options);
    gnutls_session_t session = open_session(&options, credentials);
    int result;
    do result = gnutls_handshake(session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    explain(session, result, "handshake");
    talk(session);
    gnutls_bye(session, GNUTLS_SHUT_RDWR);
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    return 0;
}
