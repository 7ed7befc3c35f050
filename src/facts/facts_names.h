/*
 * facts_names.h: every yes-or-no fact: identifier, name in rule files, what it says. Included
 * several times with different definitions of FACT, hence no include guard.
 */
FACT(FACT_TRUNCATED, "truncated", "the header was longer than what is looked at")
FACT(FACT_DUPLICATE, "duplicate-field", "a field that may stand once stands more than once")
FACT(FACT_NULL_SENDER, "null-sender", "the envelope sender is <>")
FACT(FACT_NO_REPLY, "no-reply-from", "the From address has a no-reply shape")
FACT(FACT_REPLY, "reply", "In-Reply-To or References names a message")
FACT(FACT_RCPT_NAMED, "recipient-named", "an envelope recipient stands in To or Cc")
