/*
 * What wolfSSL is compiled with for its example programs: TLS 1.3 and 1.2 as we speak them, OCSP in all its forms, and keys
 * of 4096 bits, which the scripts ask for.
 */
/* What its configure script would find. */
#include <stdint.h>
#define HAVE_NETDB_H
#define HAVE_GETADDRINFO

#define HAVE_OCSP
#define HAVE_CERTIFICATE_STATUS_REQUEST
#define HAVE_CERTIFICATE_STATUS_REQUEST_V2

#define WOLFSSL_TLS13
#define NO_OLD_TLS
#define HAVE_TLS_EXTENSIONS
#define HAVE_EXTENDED_MASTER
#define HAVE_ENCRYPT_THEN_MAC
#define HAVE_SERVER_RENEGOTIATION_INFO
#define HAVE_SUPPORTED_CURVES
#define HAVE_SESSION_TICKET
#define HAVE_MAX_FRAGMENT
#define HAVE_SNI
#define HAVE_ALPN

#define HAVE_AESGCM
#define HAVE_CHACHA
#define HAVE_POLY1305
#define HAVE_HKDF
#define WOLFSSL_SHA224
#define WOLFSSL_SHA384
#define WOLFSSL_SHA512
#define HAVE_ECC
#define HAVE_ECC384
#define HAVE_CURVE25519
#define WC_RSA_PSS
#define WOLFSSL_PSS_LONG_SALT
#define NO_DH
#define NO_DSA
#define NO_RC4
#define NO_MD4
#define NO_DES3
#define WOLFSSL_SP_MATH_ALL
#define SP_INT_BITS 8192
#define ECC_TIMING_RESISTANT
#define TFM_TIMING_RESISTANT
#define WC_RSA_BLINDING

#define SINGLE_THREADED
