#!/bin/sh
# Brings in what a purpose needs and is not there yet: node_modules from package-lock.json, other runtimes from
# test/runtimes/package.json, and tools from Debian packages. `npm start`, `npm test` and `npm run bench` run it first; with nothing to do it takes no time.
#
#   sh test/setup.sh demo|test|bench|xs|wolfssl
set -u
cd "$(dirname "$0")/.."

purpose=${1:-test}
case $purpose in
  demo) packages="" ;;
  bench) packages="openssl" ;;
  xs) packages="gcc libc6-dev" ;;
  wolfssl) packages="openssl gcc libc6-dev" ;;
  test) packages="openssl gnutls-bin nginx-light libwolfssl-dev libgnutls28-dev libnss3-tools gcc libc6-dev curl ca-certificates tshark" ;;
  *) echo "usage: sh test/setup.sh demo|test|bench|xs|wolfssl" >&2; exit 2 ;;
esac

# The XS host has PSA Crypto by Mbed TLS; 32 bits, as devices have, only beside 64 of the same kind.
case $purpose in
  test | xs)
    packages="$packages libmbedtls-dev"
    if [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ]; then packages="$packages gcc-multilib libc6-dev-i386"; fi
    ;;
esac

# And on RV32: a compiler and an emulator.
case $purpose in
  test) packages="$packages gcc-riscv64-unknown-elf qemu-user make bzip2" ;;
esac

# And what clients of other people's speak to.
case $purpose in
  test) packages="$packages postgresql mariadb-server redis-server mosquitto" ;;
esac

# What operators use: servers that begin in clear, and a judge of metrics.
case $purpose in
  test) packages="$packages dovecot-imapd dovecot-pop3d dovecot-submissiond slapd prometheus" ;;
esac

# And for wolfSSL's own scripts.
case $purpose in
  test | wolfssl) packages="$packages netcat-openbsd" ;;
esac

# A file that the package brings; a name without a slash is a command.
witness() {
  case $1 in
    gnutls-bin) echo gnutls-serv ;;
    nginx-light) echo nginx ;;
    libwolfssl-dev) echo /usr/include/wolfssl/ssl.h ;;
    libgnutls28-dev) echo /usr/include/gnutls/gnutls.h ;;
    libnss3-tools) echo selfserv ;;
    libc6-dev) echo /usr/include/stdio.h ;;
    libmbedtls-dev) echo /usr/include/psa/crypto.h ;;
    netcat-openbsd) echo nc ;;
    gcc-multilib) echo /usr/include/asm ;;
    libc6-dev-i386) echo /usr/lib32/crt1.o ;;
    gcc-riscv64-unknown-elf) echo riscv64-unknown-elf-gcc ;;
    qemu-user) echo qemu-riscv32 ;;
    ca-certificates) echo /etc/ssl/certs/ca-certificates.crt ;;
    postgresql) echo /usr/lib/postgresql ;;
    mariadb-server) echo mariadbd ;;
    dovecot-imapd) echo /usr/lib/dovecot/imap-login ;;
    dovecot-pop3d) echo /usr/lib/dovecot/pop3-login ;;
    dovecot-submissiond) echo /usr/lib/dovecot/submission-login ;;
    prometheus) echo promtool ;;
    *) echo "$1" ;;
  esac
}

# What tests do without it.
loss() {
  case $1 in
    openssl) echo "openssl as a peer and as the maker of fresh OCSP responses" ;;
    gnutls-bin) echo "gnutls-serv as a peer" ;;
    nginx-light) echo "nginx as a peer" ;;
    libwolfssl-dev) echo "the wolfSSL server and client as peers" ;;
    libgnutls28-dev) echo "a client over GnuTLS that staples as a peer" ;;
    libnss3-tools) echo "NSS selfserv as a peer" ;;
    gcc | libc6-dev) echo "XS, and wolfSSL, GnuTLS and the openssl responder as peers (C of ours is compiled for them)" ;;
    libmbedtls-dev) echo "PSA Crypto in XS" ;;
    gcc-multilib | libc6-dev-i386) echo "XS with 32 bits: it has 64, and larger objects" ;;
    gcc-riscv64-unknown-elf | qemu-user | make | bzip2) echo "XS on RV32" ;;
    curl) echo "curl as a peer" ;;
    netcat-openbsd) echo "wolfSSL's own stapling tests" ;;
    tshark) echo "captures as Wireshark reads them" ;;
    ca-certificates) echo "connections to public servers" ;;
    postgresql) echo "pg, and PostgreSQL as a peer that begins in clear" ;;
    mariadb-server) echo "mysql2, and MariaDB as a peer that begins in clear" ;;
    redis-server) echo "ioredis, and Redis as a store that servers share" ;;
    mosquitto) echo "mqtt with a real broker" ;;
    dovecot-*) echo "dovecot as a peer that begins in clear" ;;
    slapd) echo "slapd as a peer that begins in clear" ;;
    prometheus) echo "metrics as promtool reads them" ;;
    node) echo "the tests once more, on the newest LTS of Node" ;;
    deno | bun) echo "what is tested on $1" ;;
  esac
}

present() {
  file=$(witness "$1")
  case $file in
    /*) [ -e "$file" ] ;;
    *) PATH="$PATH:/usr/sbin:/sbin" command -v "$file" >/dev/null ;;
  esac
}

missing() {
  for package in $packages; do
    present "$package" || echo "$package"
  done
}

# Whether npm has installed what this file says; it writes the other one last.
installed() {
  lock=node_modules/.package-lock.json
  [ -e $lock ] && [ -z "$(find "$1" -newer $lock)" ]
}

install_node_modules() {
  installed package-lock.json && return
  # Not `npm ci`, which refuses a lock file without the optional packages of every other platform
  npm install --no-save --no-audit --no-fund || exit 1
  touch $lock
}

# What test/runtimes/package.json names. Each is optional: npm goes on without one that it can't have.
install_runtimes() {
  cd test/runtimes
  if ! installed package.json; then
    echo "setup: installing the newest LTS of Node, Deno and Bun"
    npm install --no-package-lock --no-audit --no-fund --loglevel=error >&2 && [ -d node_modules ] && touch $lock
  fi
  cd ../..
  for runtime in node deno bun; do
    if ! test/runtimes/node_modules/.bin/$runtime --version >/dev/null 2>&1; then
      echo "setup: $runtime is missing (npm could not install it, or it does not run here). Skipped: $(loss $runtime)."
    fi
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
  # RUNLEVEL=1 keeps the packages from starting services where init scripts do that.
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "$@" >&2
}

# One list that can't be had is no reason to go without the others.
update_lists() {
  as_root apt-get update >&2 || true
}

# Debian starts services as it installs them, and the tests want the programs alone. Only those are stopped that this
# script brought in: one that was there before is somebody's.
stop_installed() {
  [ -d /run/systemd/system ] || return
  for package in "$@"; do
    case $package in
      nginx-light) as_root systemctl stop nginx ;;
      mariadb-server) as_root systemctl stop mariadb ;;
      dovecot-imapd) as_root systemctl stop dovecot ;;
      postgresql | redis-server | mosquitto | slapd | prometheus) as_root systemctl stop "$package" ;;
    esac
  done
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    reason="there is no apt-get here"
  elif ! as_root true 2>/dev/null; then
    reason="that takes root, and sudo asks for a password"
  else
    reason="apt-get could not install it"
    apt_install "$@" || { update_lists; apt_install "$@"; }
  fi
}

install_missing() {
  wanted=$(missing)
  [ -z "$wanted" ] && return
  # Unquoted, as it is a list.
  echo "setup: installing" $wanted
  install_packages $wanted
  stop_installed $wanted
  for package in $(missing); do
    echo "setup: $package is missing ($reason). Skipped: $(loss "$package")."
  done
}

# Mbed TLS for 32 bits: the package of the same name as the one for 64.
install_i386() {
  library=$(ls /usr/lib/x86_64-linux-gnu/libmbedcrypto.so.[0-9]* 2>/dev/null | tail -n 1)
  if [ -z "$library" ] || [ -e "/usr/lib/i386-linux-gnu/$(basename "$library")" ]; then return; fi
  package=$(dpkg -S "$library" | cut -d : -f 1):i386
  echo "setup: installing $package"
  if as_root dpkg --add-architecture i386 && update_lists && apt_install "$package"; then return; fi
  echo "setup: $package is missing. Skipped: XS with 32 bits: it has 64, and larger objects."
}

install_node_modules
case $purpose in test) install_runtimes ;; esac
install_missing
case $packages in *gcc-multilib*) install_i386 ;; esac
case $purpose in test | wolfssl) sh test/wolfssl/build.sh ;; esac
exit 0
