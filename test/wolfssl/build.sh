#!/bin/sh
# Makes build/wolfssl/source: wolfSSL's source package, as Debian has it, with its example client and server compiled at
# their places, once as they are and once (examples-multi) to ask for the staples of a whole chain in TLS 1.3. The package
# is fetched by apt into a folder of our own, from where this machine's packages come from.
# Does nothing when all is new. Where it can't be built it says why, and that is no error.
set -eu
cd "$(dirname "$0")/../.."

# The release whose package has all of the scripts, and certificates that are valid.
release=sid
out=build/wolfssl

# $out/why has the reason for the tests.
give_up() {
  echo "$1" >$out/why
  echo "wolfssl: $1, so wolfSSL's own stapling tests are skipped"
  exit 0
}

. hosts/xs/debian-source.sh

# The archive alone: what Debian adds to it is not needed here.
fetch_source() {
  fetch "the source of wolfSSL" $release --tar-only wolfssl
  mkdir $out/source
  tar -xf $out/fetched/wolfssl_*.orig.tar.*[!c] -C $out/source --strip-components=1
  rm -rf $out/fetched
}

# objects FOLDER FLAGS SOURCE…: compiled there, as many at a time as there are processors.
objects() (
  folder=$PWD/$out/$1 flags=$2 settings=$PWD/test/wolfssl
  shift 2
  mkdir -p "$folder" && cd $out/source || exit
  for file in "$@"; do echo "$file $folder/$(echo "$file" | tr / -).o"; done |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -L 1 sh -c \
      "exec gcc -O1 -w $flags -DWOLFSSL_USER_SETTINGS -I$settings -I. -c \"\$0\" -o \"\$1\""
)

# program FOLDER NAME
program() {
  mkdir -p "$out/source/$1/$2" &&
    gcc -o "$out/source/$1/$2/$2" "$out/$1/examples-$2-$2.c.o" "$out/$1"/src-*.o $out/crypto/*.o -lm
}

# programs FOLDER FLAGS: the client and the server in that folder of the source.
programs() {
  objects "$1" "$2" $(cd $out/source && echo src/*.c examples/client/client.c examples/server/server.c) &&
    program "$1" client && program "$1" server
}

build() {
  objects crypto "" $(cd $out/source && echo wolfcrypt/src/*.c) &&
    programs examples "" && programs examples-multi -DWOLFSSL_TLS_OCSP_MULTI
}

mkdir -p $out
require apt-get gcc nc openssl
exec 8>$out/lock
flock 8
stamp="$(gcc --version | head -n 1) $(cat test/wolfssl/build.sh test/wolfssl/user_settings.h hosts/xs/debian-source.sh | sha512sum)"
if [ "$(cat $out/stamp 2>/dev/null)" = "$stamp" ]; then exit 0; fi
rm -rf $out/fetched $out/source $out/crypto $out/examples* $out/why $out/stamp
fetch_source
quietly "its example programs do not compile" build
echo "$stamp" >$out/stamp
