/*
 * facts_names.h: every yes-or-no fact: identifier, name in rule files, what it says. Included
 * several times with different definitions of FACT, hence no include guard.
 */
FACT(FACT_TRUNCATED, "truncated", "the header was longer than what is looked at")
FACT(FACT_DUPLICATE, "duplicate-field", "a field that may stand once stands more than once")

/* The envelope and the addresses. */
FACT(FACT_NULL_SENDER, "null-sender", "the envelope sender is <>")
FACT(FACT_ENVELOPE, "envelope-sender", "the envelope sender is known and is not <>")
FACT(FACT_VERP, "verp", "the envelope sender has a recipient's address written into it")
FACT(FACT_ENVELOPE_TOKEN, "envelope-token", "the envelope sender carries a long serial number")
FACT(FACT_BOUNCE_ADDRESS, "bounce-address", "the envelope sender is an address for bounces")
FACT(FACT_ENVELOPE_FOREIGN, "envelope-foreign", "its domain is not that of From")
FACT(FACT_NO_REPLY, "no-reply-from", "the From address has a no-reply shape")
FACT(FACT_NO_REPLY_TO, "no-reply-to", "the Reply-To address has a no-reply shape")
FACT(FACT_FROM, "from", "From holds an address")
FACT(FACT_FROM_NAMED, "from-named", "From has a display name")
FACT(FACT_FROM_PERSON, "from-person",
    "the From address is made of words of its display name, and its domain is not")
FACT(FACT_FROM_RCPT, "from-recipient", "From is an envelope recipient")
FACT(FACT_REPLY_TO, "reply-to", "Reply-To holds an address other than From's")
FACT(FACT_REPLY_TO_FOREIGN, "reply-to-foreign", "Reply-To is of another domain than From")
FACT(FACT_REPLY_TO_TOKEN, "reply-to-token", "the Reply-To address carries a long serial number")
FACT(FACT_SENDER, "sender", "Sender holds an address other than From's")
FACT(FACT_MESSAGE_ID_FOREIGN, "message-id-foreign", "Message-ID is of another domain than From")
FACT(FACT_DKIM_FOREIGN, "dkim-foreign", "a DKIM signature is of another domain than From")

/* To whom. */
FACT(FACT_RCPT_KNOWN, "recipient-known", "at least one envelope recipient is known")
FACT(FACT_RCPT_NAMED, "recipient-named", "an envelope recipient stands in To or Cc")
FACT(FACT_TO_NOBODY, "to-nobody", "neither To nor Cc holds an address")
FACT(FACT_TO_ONE, "to-one", "To and Cc together hold one address")
FACT(FACT_TO_SEVERAL, "to-several", "To and Cc together hold more than one address")
FACT(FACT_TO_CROWD, "to-crowd", "To and Cc together hold more than ten addresses")
FACT(FACT_TO_SENDER, "to-sender",
    "To holds another address of From's domain, and no envelope recipient")
FACT(FACT_TO_SELF, "to-from", "the From address stands in To")

/* What it answers. */
FACT(FACT_REPLY, "reply", "In-Reply-To or References names a message")
FACT(FACT_REPLY_OWN, "reply-own", "a message named there has a Message-ID of a recipient's domain")
FACT(FACT_REPLY_SUBJECT, "reply-subject",
    "the subject begins as a reply's does (Re:, AW:, Antw: ...)")
FACT(FACT_FORWARD_SUBJECT, "forward-subject",
    "the subject begins as a forward's does (Fwd:, WG: ...)")

/* Lists: RFC 2369, RFC 2919, RFC 8058, RFC 2076. */
FACT(FACT_LIST_ID, "list-id", "there is a List-Id with an identifier")
FACT(FACT_LIST_POST, "list-post", "List-Post names an address: people write to this list")
FACT(FACT_LIST_POST_NO, "list-post-no", "List-Post is NO: only its owner writes to this list")
FACT(FACT_LIST_UNSUBSCRIBE, "list-unsubscribe", "List-Unsubscribe names an address or a URL")
FACT(FACT_LIST_UNSUBSCRIBE_WEB, "list-unsubscribe-web", "List-Unsubscribe names a URL")
FACT(FACT_ONE_CLICK, "one-click", "List-Unsubscribe-Post offers to unsubscribe with one click")
FACT(FACT_LIST_SUBSCRIBE, "list-subscribe", "there is a List-Subscribe")
FACT(FACT_PRECEDENCE_BULK, "precedence-bulk", "Precedence is bulk or junk")
FACT(FACT_PRECEDENCE_LIST, "precedence-list", "Precedence is list")
FACT(FACT_FEEDBACK_ID, "feedback-id", "there is a Feedback-ID")
FACT(FACT_LIST_IN_TO, "list-in-to",
    "To or Cc holds the list's own address (from List-Post or List-Id)")
FACT(FACT_SUBJECT_TAG, "subject-tag", "the subject has a word in square brackets in front")

/* Machines: RFC 3834, RFC 3464, RFC 8098, RFC 5965. */
FACT(FACT_AUTO_GENERATED, "auto-generated",
    "Auto-Submitted says auto-generated (or an unknown word)")
FACT(FACT_AUTO_REPLIED, "auto-replied", "Auto-Submitted says auto-replied")
FACT(FACT_REPORT, "report", "Content-Type is multipart/report")
FACT(FACT_REPORT_DELIVERY, "report-delivery", "the report is a delivery status notification")
FACT(FACT_REPORT_DISPOSITION, "report-disposition", "the report is a read receipt")
FACT(FACT_REPORT_FEEDBACK, "report-feedback", "the report is an abuse report")
FACT(FACT_REPORT_TLS, "report-tls", "the report is a TLS report")

/* Content: RFC 2045, RFC 6047, RFC 1847. */
FACT(FACT_TEXT_PLAIN, "text-plain", "Content-Type is text/plain, or there is none")
FACT(FACT_TEXT_HTML, "text-html", "Content-Type is text/html")
FACT(FACT_ALTERNATIVE, "multipart-alternative", "Content-Type is multipart/alternative")
FACT(FACT_MIXED, "multipart-mixed", "Content-Type is multipart/mixed")
FACT(FACT_SIGNED, "signed", "Content-Type is multipart/signed or signed by S/MIME")
FACT(FACT_ENCRYPTED, "encrypted", "Content-Type is multipart/encrypted or encrypted by S/MIME")
FACT(FACT_CALENDAR, "calendar", "Content-Type is text/calendar, or names a calendar method")
FACT(FACT_CALENDAR_METHOD, "calendar-method", "Content-Type names an iTIP method")

/* The way it came. */
FACT(FACT_RECEIVED, "received", "there is a Received field")
FACT(FACT_SUBMITTED, "submitted", "the first hop took it from a person who had logged in")
FACT(FACT_WEB_ACCOUNT, "web-account", "the first hop took it from a web server's account")
FACT(FACT_NO_DATE, "no-date", "there is no Date")
FACT(FACT_NO_MESSAGE_ID, "no-message-id", "there is no well-formed Message-ID")

/* The look of the subject. */
FACT(FACT_SUBJECT_EMPTY, "subject-empty", "there is no subject")
FACT(FACT_SUBJECT_EMOJI, "subject-emoji", "the subject has a pictograph in it")
FACT(FACT_SUBJECT_CAPITALS, "subject-capitals", "the subject is written in capitals")
FACT(FACT_SUBJECT_DIGIT, "subject-digit", "the subject has a digit in it")
FACT(FACT_SUBJECT_NUMBER, "subject-number", "the subject has three digits in a row in it")
