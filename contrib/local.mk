# contrib
EXTRA_DIST += contrib/check contrib/install-packages contrib/packages
EXTRA_DIST += contrib/demo contrib/demo.py contrib/screenshots contrib/systemd contrib/sysusers.d \
	contrib/tmpfiles.d contrib/postfix contrib/sendmail contrib/dovecot
# The pictures of the README, made by contrib/screenshots.
EXTRA_DIST += docs/digest-360-light.png docs/digest-360-dark.png docs/digest-1200-light.png \
	docs/digest-1200-dark.png
