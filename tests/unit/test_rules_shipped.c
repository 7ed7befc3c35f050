/*
 * test_rules_shipped.c: the rules of etc/rules.d load, and give each message of tests/samples the
 * class that tests/samples/README.md says; and tables of subjects and headers in our own words that
 * must or must not pass for what they claim to be.
 */
#include <config.h>

#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include "base/fs.h"
#include "classify/classify.h"
#include "policy/rules_load.h"

static struct rules *rules;

static const char *source_dir(void)
{
	const char *dir = getenv("srcdir"); /* automake sets it */
	return dir == NULL ? "." : dir;
}

static void problem_print(void *ctx, const char *file, int line, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

static int rules_setup(void **state)
{
	char *dir = g_build_filename(source_dir(), "etc", "rules.d", NULL);
	struct err err;
	(void)state;
	enum rc rc = policy_rules_load(dir, problem_print, NULL, &rules, &err);
	if (rc != RC_OK)
		fprintf(stderr, "%s: %s\n", dir, err.text);
	g_free(dir);
	return rc == RC_OK ? 0 : -1;
}

static int rules_teardown(void **state)
{
	(void)state;
	rules_unref(&rules);
	return 0;
}

static const char *class_of(struct facts *facts, char reasons[VERDICT_TEXT_MAX])
{
	struct verdict v;
	assert_int_equal(classify(rules, facts, &v, NULL), RC_OK);
	verdict_format(&v, reasons);
	return class_name(v.cls);
}

/* One row of the README's table: | file | class | action | */
static int sample_check(char **cells)
{
	char reasons[VERDICT_TEXT_MAX];
	char *path = g_build_filename(source_dir(), "tests", "samples", g_strstrip(cells[1]), NULL);
	struct facts *facts = facts_new();
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(facts_read(facts, fd, NULL, NULL), RC_OK);
	int failed = unit_str(cells[1], class_of(facts, reasons), g_strstrip(cells[2]));
	if (failed)
		fprintf(stderr, "  %s\n", reasons);
	close(fd);
	facts_free(&facts);
	g_free(path);
	return failed;
}

static void test_samples(void **state)
{
	char *path = g_build_filename(source_dir(), "tests", "samples", "README.md", NULL), *text;
	size_t len;
	size_t n = 0;
	int failed = 0;
	(void)state;
	assert_int_equal(fs_read(path, 100000, &text, &len, NULL, NULL), RC_OK);
	char **lines = g_strsplit(text, "\n", -1);
	for (size_t i = 0; lines[i] != NULL; i++) {
		char **cells = g_strsplit(lines[i], "|", -1);
		if (g_strv_length(cells) == 5 && strstr(cells[1], ".eml") != NULL) {
			failed += sample_check(cells);
			n++;
		}
		g_strfreev(cells);
	}
	g_strfreev(lines);
	free(text);
	g_free(path);
	assert_true(n >= 14);
	assert_int_equal(failed, 0);
}

static struct facts *facts_of(const char *header)
{
	struct facts *facts = facts_new();
	char **lines = g_strsplit(header, "\n", -1);
	facts_envelope_rcpt(facts, "ann@example.org");
	for (size_t i = 0; lines[i] != NULL; i++) {
		char *colon = strchr(lines[i], ':');
		if (colon != NULL) {
			*colon = '\0';
			facts_header(facts, lines[i], colon + 1);
		}
	}
	g_strfreev(lines);
	facts_end(facts);
	return facts;
}

struct row {
	const char *label, *want, *header;
};

static void rows_check(const struct row *rows, size_t n)
{
	int failed = 0;
	for (size_t i = 0; i < n; i++) {
		char reasons[VERDICT_TEXT_MAX];
		struct facts *facts = facts_of(rows[i].header);
		if (unit_str(rows[i].label, class_of(facts, reasons), rows[i].want)) {
			fprintf(stderr, "  %s\n", reasons);
			failed++;
		}
		facts_free(&facts);
	}
	assert_int_equal(failed, 0);
}

#define SHOP \
	"From: Shop <no-reply@shop.example>\nReturn-Path: " \
	"<bounces+1-2-ann=example.org@em.example>\n" \
	"To: ann@example.org\nX-SG-EID: x\nFeedback-ID: 1:2\nSubject:"
#define BULK SHOP

/* Codes, passwords and sign-ins pass in every language, whatever platform carries them. */
static void test_security_words(void **state)
{
	static const struct row rows[] = {
	    {"en", "security", SHOP "Your verification code"},
	    {"en digits", "security", SHOP "493021 is your code for the harbour"},
	    {"en reset", "security", SHOP "Reset your password"},
	    {"en device", "security", SHOP "New sign-in from a telephone"},
	    {"nl", "security", SHOP "Je verificatiecode is 493021"},
	    {"nl reset", "security", SHOP "Wachtwoord vergeten"},
	    {"de", "security", SHOP "Ihr Best\xc3\xa4tigungscode"},
	    {"de reset", "security",
		SHOP "Passwort zur\xc3\xbc"
		     "cksetzen"},
	    {"fr", "security", SHOP "Votre code de v\xc3\xa9rification"},
	    {"fr reset", "security", SHOP "R\xc3\xa9initialisation de votre mot de passe"},
	    {"es", "security",
		SHOP "Tu c\xc3\xb3"
		     "digo de verificaci\xc3\xb3n"},
	    {"it", "security", SHOP "Il tuo codice di verifica"},
	    {"pt", "security",
		SHOP "O seu c\xc3\xb3"
		     "digo de verifica\xc3\xa7\xc3\xa3o"},
	    {"pl", "security", SHOP "Tw\xc3\xb3j kod weryfikacyjny"},
	    {"ja", "security",
		SHOP "\xe8\xaa\x8d\xe8\xa8\xbc\xe3\x82\xb3\xe3\x83\xbc\xe3\x83\x89\xe3\x81\xae\xe3"
		     "\x81\x8a\xe7\x9f\xa5\xe3\x82\x89\xe3\x81\x9b"},
	    {"without accents", "security", SHOP "Tu codigo de verificacion"},
	    {"with one-click too", "security",
		SHOP "Your login code\nList-Unsubscribe: <https://x.example/>\n"
		     "List-Unsubscribe-Post: List-Unsubscribe=One-Click"},
	};
	(void)state;
	rows_check(rows, G_N_ELEMENTS(rows));
}

static void test_transactional_words(void **state)
{
	static const struct row rows[] = {
	    {"en", "transactional", SHOP "Your order has shipped"},
	    {"en invoice", "transactional", SHOP "Invoice 2026-0117"},
	    {"en booking", "transactional", SHOP "Booking confirmation: two nights by the sea"},
	    {"nl", "transactional", SHOP "Je bestelling is onderweg"},
	    {"de", "transactional", SHOP "Ihre Rechnung vom November"},
	    {"fr", "transactional",
		SHOP "Votre commande a \xc3\xa9t\xc3\xa9 exp\xc3\xa9"
		     "di\xc3\xa9"
		     "e"},
	    {"es", "transactional", SHOP "Confirmaci\xc3\xb3n de pedido"},
	    {"it", "transactional", SHOP "Conferma ordine"},
	    {"pt", "transactional", SHOP "A sua encomenda foi enviada"},
	    {"pl", "transactional", SHOP "Potwierdzenie zam\xc3\xb3wienia"},
	    {"ja", "transactional",
		SHOP "\xe3\x81\x94\xe6\xb3\xa8\xe6\x96\x87\xe5\x86\x85\xe5\xae\xb9\xe3\x81\xae\xe7"
		     "\xa2\xba\xe8\xaa\x8d"},
	    {"one can unsubscribe", "transactional",
		SHOP "Your receipt\nList-Unsubscribe: <https://x.example/>\n"
		     "List-Unsubscribe-Post: List-Unsubscribe=One-Click"},
	};
	(void)state;
	rows_check(rows, G_N_ELEMENTS(rows));
}

/* A platform alone holds nothing; marketing that borrows words does not pass for them. */
static void test_platforms_and_borrowers(void **state)
{
#define UNSUB \
	"\nList-Unsubscribe: <https://x.example/>\nList-Unsubscribe-Post: " \
	"List-Unsubscribe=One-Click"
	static const struct row rows[] = {
	    {"platform alone", "personal", SHOP "A word about your garden"},
	    {"SES alone", "personal",
		"From: a@x.example\nX-SES-Outgoing: 2026.01.01-192.0.2.1\nFeedback-ID: "
		"1.x=:AmazonSES\n"
		"Return-Path: <0100018f2a77-11@amazonses.com>\nSubject: The minutes of Tuesday"},
	    {"save20", "newsletter", BULK "Your code: SAVE20" UNSUB},
	    {"action required", "newsletter", BULK "Action required: 50% off ends tonight" UNSUB},
	    {"our offer", "newsletter", BULK "Re: our special offer" UNSUB},
	    {"order now", "newsletter", BULK "Order now and get 30% off your order" UNSUB},
	    {"account", "newsletter", BULK "Your account has a 20% discount waiting" UNSUB},
	    {"de", "newsletter", BULK "Ihr Gutscheincode: 20% Rabatt auf Ihre Bestellung" UNSUB},
	    {"nl", "newsletter", BULK "Jouw code voor 20% korting" UNSUB},
	    {"ja", "newsletter",
		BULK
		"\xe3\x82\xbb\xe3\x83\xbc\xe3\x83\xab\xe9\x96\x8b\xe5\x82\xac\xe4\xb8\xad" UNSUB},
	};
	(void)state;
	rows_check(rows, G_N_ELEMENTS(rows));
}

static void test_people(void **state)
{
	static const struct row rows[] = {
	    {"LinkedIn message", "personal",
		"From: Bob Winter <messaging-digest-noreply@linkedin.com>\nSubject: Bob sent you a "
		"message\n"
		"X-LinkedIn-Class: MBR-TO-MBR\nList-Unsubscribe: <https://www.linkedin.com/x>\n"
		"Feedback-ID: x:linkedin"},
	    {"info address", "personal",
		"From: Info <info@bakery.example>\nTo: ann@example.org\nSubject: Your cake is too "
		"big for the box"},
	    {"mail merge", "personal",
		"From: Bob <bob@school.example>\nTo: ann@example.org\nSubject: Class 3b: who "
		"drives on Friday\n"
		"X-Mailer: Microsoft Outlook 16.0\nContent-Type: text/html"},
	    {"forwarded offer", "personal",
		"From: Bob <bob@example.net>\nTo: ann@example.org\nSubject: Fwd: 50% off "
		"everything, last chance"},
	    {"about an offer", "personal",
		"From: Bob <bob@gmail.com>\nTo: ann@example.org\nSubject: That 50% off newsletter"},
	    {"proton feedback id", "personal",
		"From: Bob <bob@proton.me>\nTo: ann@example.org\nSubject: Sale of the "
		"boat\nFeedback-ID: 1:user:proton"},
	    {"help desk answer", "personal",
		"From: Eve <support@desk.example>\nTo: ann@example.org\nSubject: Re: The gear\n"
		"In-Reply-To: <1@example.org>\nX-Zendesk-From-Account-Id: 12"},
	    {"urgency buys nothing", "newsletter",
		"From: News <news@shop.example>\nSubject: Re: our autumn newsletter\nImportance: "
		"high\nX-Priority: 1\n"
		"Precedence: bulk\nList-Unsubscribe: <https://x.example>"},
	};
	(void)state;
	rows_check(rows, G_N_ELEMENTS(rows));
}

/* A subscription bomb cannot use the lane for confirmations: it is marked. */
static void test_confirmations(void **state)
{
	static const struct {
		const char *label, *subject;
		bool once;
	} rows[] = {
	    {"en", "Please confirm your subscription", true},
	    {"de", "Bitte best\xc3\xa4tigen Sie Ihre Newsletter-Anmeldung", true},
	    {"nl", "Bevestig je inschrijving", true},
	    {"fr", "Confirmez votre abonnement", true},
	    {"pl", "Potwierd\xc5\xba subskrypcj\xc4\x99", true},
	    {"code", "Your verification code", false},
	    {"password", "Reset your password", false},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *header = g_strdup_printf(SHOP "%s", rows[i].subject);
		struct facts *facts = facts_of(header);
		struct verdict v;
		assert_int_equal(classify(rules, facts, &v, NULL), RC_OK);
		failed += unit_str(rows[i].label, class_name(v.cls), "security");
		failed += unit_num(rows[i].label, v.once, rows[i].once);
		facts_free(&facts);
		g_free(header);
	}
	assert_int_equal(failed, 0);
}

/* pullyu-rules(5) explains every fact. */
static void test_manual(void **state)
{
	char *path = g_build_filename(source_dir(), "man", "pullyu-rules.5", NULL), *text;
	size_t len;
	int failed = 0;
	(void)state;
	assert_int_equal(fs_read(path, 1000000, &text, &len, NULL, NULL), RC_OK);
	for (int i = 0; i < FACT_COUNT; i++) {
		char *item = g_strdup_printf(".It Cm %s\n", facts_name((enum fact)i));
		failed += unit_num(facts_name((enum fact)i), strstr(text, item) != NULL, 1);
		g_free(item);
	}
	/* Each file has its section. */
	char *dir = g_build_filename(source_dir(), "etc", "rules.d", NULL);
	GDir *files = g_dir_open(dir, 0, NULL);
	assert_non_null(files);
	for (const char *name; (name = g_dir_read_name(files)) != NULL;) {
		char *section = g_strdup_printf(".Ss %s\n", name);
		failed += unit_num(name, strstr(text, section) != NULL, 1);
		g_free(section);
	}
	g_dir_close(files);
	g_free(dir);
	free(text);
	g_free(path);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_samples),
	    cmocka_unit_test(test_security_words),
	    cmocka_unit_test(test_transactional_words),
	    cmocka_unit_test(test_platforms_and_borrowers),
	    cmocka_unit_test(test_people),
	    cmocka_unit_test(test_confirmations),
	    cmocka_unit_test(test_manual),
	};
	return cmocka_run_group_tests_name("rules", tests, rules_setup, rules_teardown);
}
