# SPDX-License-Identifier: Apache-2.0
# The certificates of a suite, all made here. Below pki/:
#   ca.pem                      the public authority: what a browser or a client of the API must trust
#   edge-ecdsa.pem|.key         the public listener, P-256        edge-rsa.pem|.key   the same, RSA 2048
#   link/ca/<role>-ca.pem       one small authority PER ROLE of the private network: nng gives no peer name, so who may
#                               call is decided by which authority a listener trusts
#   link/<role>.pem|.key        that role's one leaf, for both ends of a link
#   ops-ca.pem, admin/<name>.pem|.key, ops-client.pem|.key        the admin ports, and who may scrape them
#   mail.pem|.key               the mail sink, by the same authority
#   trust.pem                   ca.pem and ops-ca.pem in one file, for tools that talk to both
# The authorities' keys stand in ca-private/, which no service can read.

PKI_CA_DAYS=3650
PKI_LEAF_DAYS=89		# under the 90 days of the common baseline
PKI_RENEW_SECONDS=$((59 * 86400))	# after its making

pki_prepare() {
	local name host san
	local pki=$STATE_DIR/pki
	host=$(hostname)
	make_dir 0755 root root "$pki/link"
	make_dir 0755 root root "$pki/link/ca"
	make_dir 0755 root root "$pki/admin"

	san=DNS:localhost,IP:127.0.0.1,IP:::1
	case $host in
	'' | localhost | *[!A-Za-z0-9.-]*) ;;
	*) san=$san,DNS:$host ;;
	esac
	[ -s "$pki/trust.pem" ] || note "making authorities and certificates"
	ca_make public "Berth local authority" "$pki/ca.pem"
	leaf_make public server localhost "$san" EC "$pki/edge-ecdsa"
	leaf_make public server localhost "$san" RSA "$pki/edge-rsa"

	for name in "${PROCESS_NAMES[@]}"; do
		ca_make "link-$name" "Berth link authority of $name" "$pki/link/ca/$name-ca.pem"
		ln -sfn "ca/$name-ca.pem" "$pki/link/$name-ca.pem"
		leaf_make "link-$name" link "$name" "DNS:$name" EC "$pki/link/$name"
	done

	ca_make ops "Berth operations authority" "$pki/ops-ca.pem"
	for name in "${PROCESS_NAMES[@]}"; do
		leaf_make ops server "$name admin" "DNS:localhost,IP:127.0.0.1" EC "$pki/admin/$name"
	done
	leaf_make ops server mail "DNS:localhost,IP:127.0.0.1" EC "$pki/mail"
	leaf_make ops client ops-client DNS:ops-client EC "$pki/ops-client"
	chmod 0600 "$pki/ops-client.key"	# not for the processes that it looks at
	cat "$pki/ca.pem" "$pki/ops-ca.pem" | write_file 0644 "$pki/trust.pem" || true
}

pki_openssl() {
	openssl "$@" 2>"$STATE_DIR/ca-private/last-error" ||
		die "openssl $1 failed: $(tail -n 1 "$STATE_DIR/ca-private/last-error")" "start over with ./deploy/up --fresh"
}

# key_make EC|RSA PATH: a new private key that only its owner reads.
key_make() {
	local options=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve)
	[ "$1" = EC ] || options=(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)
	(umask 077 && pki_openssl genpkey "${options[@]}" -out "$2")
}

# ca_make NAME SUBJECT CERTIFICATE: an authority, once.
ca_make() {
	local key=$STATE_DIR/ca-private/$1.key
	[ ! -s "$3" ] || return 0
	key_make EC "$key"
	BERTH_SAN=unused pki_openssl req -new -x509 -sha256 -config "$DEPLOY_DIR/pki/certificates.cnf" -extensions ca \
		-key "$key" -subj "/O=Berth/CN=$2" -days "$PKI_CA_DAYS" -out "$3.tmp"
	chmod 0644 "$3.tmp"
	mv -f "$3.tmp" "$3"
}

# leaf_make AUTHORITY KIND SUBJECT SAN EC|RSA BASE: BASE.pem and BASE.key, made anew with a new key when 30 days are left of it.
leaf_make() {
	local authority=$1 base=$6
	! leaf_is_good "$base.pem" "$4" || return 0
	key_make "$5" "$base.key.tmp"
	BERTH_SAN=$4 pki_openssl req -new -x509 -sha256 -config "$DEPLOY_DIR/pki/certificates.cnf" -extensions "$2" \
		-key "$base.key.tmp" -CA "$(ca_certificate "$authority")" -CAkey "$STATE_DIR/ca-private/$authority.key" \
		-subj "/O=Berth/CN=$3" -days "$PKI_LEAF_DAYS" -out "$base.pem.tmp"
	give "$SERVICE_GROUP" "$base.key.tmp"
	chmod 0644 "$base.pem.tmp"
	mv -f "$base.key.tmp" "$base.key"
	mv -f "$base.pem.tmp" "$base.pem"
	printf '%s %(%s)T\n' "$4" -1 >"$base.made"
}

# leaf_is_good CERTIFICATE SAN: it was made for those names, and not so long ago that it must be renewed.
leaf_is_good() {
	local san made now
	printf -v now '%(%s)T' -1
	[ -s "$1" ] && read -r san made 2>/dev/null <"${1%.pem}.made" && [ "$san" = "$2" ] &&
		[ "$made" -le "$now" ] && [ "$now" -lt $((made + PKI_RENEW_SECONDS)) ]
}

ca_certificate() {
	case $1 in
	public) echo "$STATE_DIR/pki/ca.pem" ;;
	ops) echo "$STATE_DIR/pki/ops-ca.pem" ;;
	link-*) echo "$STATE_DIR/pki/link/ca/${1#link-}-ca.pem" ;;
	esac
}
