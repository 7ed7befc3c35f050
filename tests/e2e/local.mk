# e2e: pytest; see README
