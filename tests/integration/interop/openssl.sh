#!/usr/bin/env bash
# Tokens by openssl and a shell alone. sign ALG KEY.pem KID CLAIMS.json | verify ALG KEY.pem TOKEN
set -euo pipefail
action=$1 alg=$2 key=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

encode() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
decode() {
  local text
  text=$(tr '_-' '/+')
  while [ $((${#text} % 4)) -ne 0 ]; do text="$text="; done
  printf %s "$text" | openssl base64 -d -A
}
from_hex() { printf %b "$(sed 's/../\\x&/g')"; }
to_hex() { od -An -v -tx1 | tr -d ' \n'; }
# DER to the two numbers side by side (RFC 7518 section 3.4), 32 bytes each; and back.
raw_of_der() {
  openssl asn1parse -inform DER -in "$1" | sed -n 's/.*INTEGER *://p' | while read -r number; do
    while [ ${#number} -lt 64 ]; do number="0$number"; done
    printf %s "$number"
  done | from_hex
}
der_of_raw() {
  local hex
  hex=$(to_hex <"$1")
  [ ${#hex} -eq 128 ]
  printf 'asn1=SEQUENCE:pair\n[pair]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${hex:0:64}" "${hex:64}" \
    >"$work/pair"
  openssl asn1parse -genconf "$work/pair" -noout -out "$work/der"
  cat "$work/der"
}

if [ "$action" = sign ]; then
  header=$(printf '{"alg":"%s","kid":"%s"}' "$alg" "$4" | encode)
  printf %s.%s "$header" "$(encode <"$5")" >"$work/input"
  if [ "$alg" = EdDSA ]; then
    openssl pkeyutl -sign -rawin -inkey "$key" -in "$work/input" -out "$work/signature"
  else
    openssl dgst -sha256 -sign "$key" -out "$work/signed" "$work/input"
    raw_of_der "$work/signed" >"$work/signature"
  fi
  printf '%s.%s\n' "$(cat "$work/input")" "$(encode <"$work/signature")"
else
  token=$(tr -d '\n' <"$4")
  printf %s "${token%.*}" >"$work/input"
  printf %s "${token##*.}" | decode >"$work/signature"
  if [ "$alg" = EdDSA ]; then
    openssl pkeyutl -verify -rawin -pubin -inkey "$key" -in "$work/input" \
      -sigfile "$work/signature" >/dev/null
  else
    der_of_raw "$work/signature" >"$work/signed"
    openssl dgst -sha256 -verify "$key" -signature "$work/signed" "$work/input" >/dev/null
  fi
fi
