# Sourced by what builds from source packages of Debian's, with $out, its folder, and give_up, which says why not.

# quietly REASON COMMAND…: its output is shown when it fails, for that reason.
quietly() {
  reason=$1
  shift
  "$@" >$out/log 2>&1 && return
  tail -n 20 $out/log
  give_up "$reason"
}

require() {
  for tool in "$@"; do
    command -v "$tool" >/dev/null || give_up "there is no $tool"
  done
}

# download URI RELEASE PACKAGE…: apt's lists and caches are of its own there, so that the machine's stay as they are.
download() (
  mkdir -p $out/fetched/lists/partial $out/fetched/cache/archives/partial && cd $out/fetched || exit
  echo "deb-src $1 $2 main" >sources.list
  shift 2
  apt() {
    apt-get -o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=/dev/null \
      -o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD/cache" -o APT::Sandbox::User=root "$@"
  }
  apt update && apt source --download-only "$@"
)

# fetch WHAT RELEASE PACKAGE…: puts the packages' files into $out/fetched, from where this machine's packages come from.
fetch() {
  what=$1
  shift
  uri=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Identifier: Packages' |
    awk '$3 == "main" && $2 !~ /-/ { print $1; exit }')
  [ -n "$uri" ] || give_up "apt knows no place of packages"
  quietly "$what can't be had" download "$uri" "$@"
}
