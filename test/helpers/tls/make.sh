#!/usr/bin/env bash
# Makes the certificates that the TLS tests use. The keys are public: good for tests on loopback, and for nothing else.
# They are committed so that the tests need no openssl; valid to 2126, but for expired.pem.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

mark() { { echo 'TEST ONLY. The key is public: trust nothing that is signed with it.'; cat "$1"; } > "$1.marked" && mv "$1.marked" "$1"; }

authority() { # file, common name
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36525 -subj "/CN=$2" -keyout "$scratch/$1.key" -out "$1.pem" 2>/dev/null
  mark "$1.pem"
}

issue() { # file, common name, authority, names, last day
  : > "$scratch/index.txt"
  cat > "$scratch/ca.cnf" <<CNF
[ca]
default_ca = it
[it]
database = $scratch/index.txt
new_certs_dir = $scratch
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
[extensions]
subjectAltName = $4
CNF
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -keyout "$1.key.pem" -out "$scratch/$1.csr" 2>/dev/null
  openssl ca -batch -notext -config "$scratch/ca.cnf" -extensions extensions -cert "$3.pem" -keyfile "$scratch/$3.key" -startdate 20200101000000Z -enddate "$5" -in "$scratch/$1.csr" -out "$1.pem" 2>/dev/null
  mark "$1.pem"
  mark "$1.key.pem"
}

authority ca 'connack test CA'
authority other-ca 'another test CA'
issue server 'connack test server' ca 'DNS:localhost,IP:127.0.0.1,IP:::1' 21260101000000Z
issue expired 'connack expired test server' ca 'DNS:localhost,IP:127.0.0.1,IP:::1' 20200201000000Z
issue client 'kitchen' ca 'DNS:kitchen' 21260101000000Z
issue stranger 'stranger' other-ca 'DNS:stranger' 21260101000000Z
