include tests/unit/local.mk
include tests/e2e/local.mk
include tests/corpus/local.mk
include tests/structure/local.mk
