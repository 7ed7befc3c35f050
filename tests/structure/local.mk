# Includes, format, man pages.
e2e_tests += tests/structure/test_structure.py
