#!/bin/sh
# Runs all tests on the Node that npm runs on, and then, on the newest LTS, all but those of what runs in the XS engine,
# to which it makes no difference what Node starts it, and wolfSSL's scripts, which take minutes. Each run ends with ava's
# own sum.
set -u
cd "$(dirname "$0")/.."

lts=$PWD/test/runtimes/node_modules/.bin
once="xs device hosts/psa wolfssl" # folders of build/test

# The files that the second run has.
on_any_node() {
  set --
  for folder in $once; do set -- "$@" ! -path "build/test/$folder/*"; done
  find build/test -name "*.test.js" "$@"
}

# Why there is no second run, if there is none.
reason() {
  if ! "$lts/node" --version >/dev/null 2>&1; then
    echo "npm's package \"node\" could not be had: see what test/setup.sh says above"
  elif [ "$("$lts/node" --version)" = "$(node --version)" ]; then
    echo "it is what the tests ran on"
  fi
}

status=0
echo "Tests on Node $(node --version)"
node_modules/.bin/ava || status=1

why=$(reason)
if [ -n "$why" ]; then
  echo "Tests on the newest LTS of Node: none, as $why"
else
  echo "Tests on Node $("$lts/node" --version), the newest LTS: all but those in test/{$(echo $once | tr ' ' ',')}"
  PATH=$lts:$PATH node_modules/.bin/ava $(on_any_node) || status=1
fi
exit $status
