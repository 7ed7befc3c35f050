# milter: see the headers in this directory for what it promises.
