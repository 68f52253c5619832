#!/bin/sh
# Builds the XS host for RV32, the instruction set of the ESP32-C3, C6 and H2: build/xs-rv32/tlstaple-xs, a script
# that runs it in qemu's Linux user mode. Compiler and emulator are Debian's (test/setup.sh installs them); the C
# library and Mbed TLS are compiled from source packages of the Debian release that has versions with RV32, fetched
# by apt into a folder of our own, from where this machine's packages come from.
# Does nothing when all is new. Where it can't be built it says why, and that is no error.
set -eu
cd "$(dirname "$0")/../.."

gcc=riscv64-unknown-elf-gcc
machine="-march=rv32imac -mabi=ilp32"
release=trixie
out=build/xs-rv32

give_up() {
  echo "xs: $1, so the XS host for RV32 is not built: what runs in it is skipped"
  exit 0
}

. hosts/xs/debian-source.sh

fetch_sources() {
  fetch "the sources of musl and Mbed TLS" $release musl mbedtls
  for archive in $out/fetched/*.orig.tar.*[!c]; do tar -xf "$archive" -C $out; done
  rm -rf $out/fetched
}

# Debian's compiler has no C library, and its musl of older releases no RV32.
build_libc() (
  cd $out/musl-*/ &&
    CC="$gcc $machine" CROSS_COMPILE=riscv64-unknown-elf- CFLAGS=-Os \
      ./configure --target=riscv32 --disable-shared --prefix=/ &&
    make -j "$(getconf _NPROCESSORS_ONLN)" install DESTDIR=../libc
)

# The compiler with that C library.
write_compiler() {
  printf '*startfile:\ncrt1.o%%s crti.o%%s\n\n*endfile:\ncrtn.o%%s\n\n*lib:\n-lc\n\n' >$out/specs
  cat >$out/cc <<CC
#!/bin/sh
here=\$(dirname "\$0")
exec $gcc $machine -D__linux__ -D__unix__ -nostdinc -isystem "\$here/libc/include" \\
  -isystem "\$($gcc -print-file-name=include)" -specs="\$here/specs" -B"\$here/libc/lib/" -L"\$here/libc/lib" \\
  -static -Wl,-z,max-page-size=4096 "\$@"
CC
  chmod +x $out/cc
}

# Buffers are not copied at PSA's interface, as in ESP-IDF 6.
build_crypto() {
  make -j "$(getconf _NPROCESSORS_ONLN)" -C $out/mbedtls-*/library libmbedcrypto.a CC=../../cc \
    AR=riscv64-unknown-elf-ar \
    CFLAGS="-Os -ffunction-sections -fdata-sections -DMBEDTLS_PSA_ASSUME_EXCLUSIVE_BUFFERS"
}

build_toolchain() {
  stamp="$($gcc --version | head -n 1) $(cat hosts/xs/build-rv32.sh hosts/xs/debian-source.sh | sha512sum)"
  if [ "$(cat $out/stamp 2>/dev/null)" = "$stamp" ]; then return; fi
  rm -rf $out/fetched $out/musl* $out/mbedtls* $out/libc
  fetch_sources
  quietly "musl does not compile" build_libc
  write_compiler
  quietly "Mbed TLS does not compile" build_crypto
  echo "$stamp" >$out/stamp
}

# What counts instructions, for the version of the plugin interface that the emulator has.
build_counter() {
  for version in 1 2 3 4 5 6; do
    gcc -shared -fPIC -O2 -Wall -Wextra -Werror -DVERSION=$version hosts/xs/count.c -o $out/count.so 2>$out/log || continue
    if qemu-riscv32 -plugin "file=$out/count.so" $out/try 2>>$out/log; then return; fi
  done
  rm -f $out/count.so
  echo "xs: the emulator takes no plugin, so instructions are not counted"
}

require apt-get $gcc qemu-riscv32 make bzip2
mkdir -p $out
exec 8>$out/lock
flock 8
build_toolchain
XS_OUT=$out XS_MBEDTLS="$(echo $out/mbedtls-*)" XS_EMULATOR=qemu-riscv32 CC=$out/cc \
  CFLAGS="-Os -ffunction-sections -fdata-sections" LDFLAGS="-Wl,--gc-sections,-Map=$out/map" sh hosts/xs/build.sh
if [ ! $out/count.so -nt $out/tlstaple-xs ]; then build_counter; fi
