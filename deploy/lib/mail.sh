# SPDX-License-Identifier: Apache-2.0
# The mail sink: what the suite sends by SMTP stands in the mail directory, one .eml file a message.

mail_start() {
	local made pki=$STATE_DIR/pki
	install_file 0644 "$DEPLOY_DIR/mail/sink.py" "$STATE_DIR/opt/lib/sink.py" || true
	made=$(cat "$STATE_DIR/opt/lib/sink.py" "$pki/mail.pem" | sha256sum | cut -c 1-16)
	! process_is_alive mail || [ "$(process_fingerprint mail)" = "$made" ] || mail_stop
	process_is_alive mail ||
		process_spawn mail "$made" env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 TZ=UTC \
			"$PYTHON" -I "$STATE_DIR/opt/lib/sink.py" "$(port_of mail)" "$STATE_DIR/mail" "$pki/mail.pem" "$pki/mail.key"
	wait_until 30 "the mail sink" mail_ready_or_dead || die "the mail sink is not ready after 30 s" "read $STATE_DIR/logs/mail.log"
	process_is_alive mail || process_died_early mail
}

mail_is_ready() { (exec 3<>"/dev/tcp/127.0.0.1/$(port_of mail)") 2>/dev/null; }
mail_ready_or_dead() { mail_is_ready || process_is_gone mail; }

mail_stop() { process_stop mail TERM KILL; }
