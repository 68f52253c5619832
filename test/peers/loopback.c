/*
 * Preloaded into peers that can listen on every interface only (openssl ocsp, gnutls-serv):
 * what binds to the wildcard address gets 127.0.0.1. An IPv6 socket gets it v4-mapped, which
 * one that is IPV6_V6ONLY refuses; such a peer has an IPv4 socket too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

typedef int (*bind_function)(int, const struct sockaddr *, socklen_t);

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    bind_function next = (bind_function)dlsym(RTLD_NEXT, "bind");
    struct sockaddr_storage copy = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&copy;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&copy;

    if (length > sizeof copy) return next(fd, address, length);
    memcpy(&copy, address, length);
    if (copy.ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (copy.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        memcpy(&v6->sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
    return next(fd, (struct sockaddr *)&copy, length);
}
