# Sourced by what takes the place of the scripts' programs. The scripts give a program a tenth of a second to start, or two
# seconds until its ready file is there; where a machine is busy Node takes more, and a client would meet nobody.

# starts PORT [once]: this process will listen there, for one connection.
starts() {
  echo "$1 $$ ${2-}" >>"$LOGS/started"
}

listening() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ": [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A "
}

# Waits until all that have started listen or have ended, ten seconds at most.
wait_for_started() {
  tries=200
  [ -e "$LOGS/started" ] || return 0
  while read -r each process _; do
    while alive "$process" && ! listening "$each"; do rest; done
  done <"$LOGS/started"
}

# wait_for_end PORT: until those that served one connection there have told of it, as the scripts kill who is left.
wait_for_end() {
  tries=100
  while read -r each process often; do
    if [ "$each $often" != "$1 once" ]; then continue; fi
    while alive "$process"; do rest; done
  done <"$LOGS/started"
}

alive() {
  [ $tries -gt 0 ] && kill -0 "$1" 2>/dev/null
}

rest() {
  tries=$((tries - 1))
  command -p sleep 0.05
}

# after FLAG ARGUMENT…: the one that follows the flag.
after() {
  flag=$1
  shift
  while [ $# -gt 1 ]; do
    if [ "$1" = "$flag" ]; then echo "$2" && return; fi
    shift
  done
}
