# contrib
EXTRA_DIST += contrib/check contrib/install-packages contrib/packages
EXTRA_DIST += contrib/demo contrib/demo.py contrib/systemd contrib/sysusers.d contrib/tmpfiles.d \
	contrib/postfix contrib/sendmail contrib/dovecot
