# contrib
EXTRA_DIST += contrib/check contrib/install-packages contrib/packages
EXTRA_DIST += contrib/demo contrib/demo.py
