# contrib
EXTRA_DIST += contrib/check contrib/install-packages contrib/packages
