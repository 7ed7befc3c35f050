/*
 * test_command_read.c: what a command mail says.
 */
#include <config.h>

#include "unit.h"

#include <glib.h>

#include "command/read.h"
#include "conf/dates.h"

enum { TODAY = 20785 }; /* 2026-11-28 */

static const char *const keys[] = {
    "times", "timezone", "originals", "language", "pause_until", NULL};

/* "allow 2", "pause 2027-01-05 pass", "times times=...": what a command says, in one line. */
static char *written(const struct command *command)
{
	GString *out = g_string_new(command_verb_name(command->verb));
	char day[DATES_TEXT_MAX];
	for (size_t i = 0; i < command->n_numbers; i++)
		g_string_append_printf(out, " %u", command->numbers[i]);
	if (command->entry[0] != '\0')
		g_string_append_printf(out, " %s", command->entry);
	if (command->until != 0) {
		date_format(command->until, day);
		g_string_append_printf(out, " %s", day);
	}
	if (command->pass)
		g_string_append(out, " pass");
	for (size_t i = 0; i < command->n_form; i++)
		g_string_append_printf(
		    out, " [%s=%s]", command->form[i].key, command->form[i].value);
	return g_string_free(out, FALSE);
}

/* want: as written(); "-": no command; "!TEXT": wrong, and TEXT is in the error. */
static int read_is(const char *subject, const char *text, const char *want)
{
	struct command *command = g_new0(struct command, 1);
	struct err err = {{0}};
	enum rc rc = command_read(subject, text, keys, TODAY, command, &err);
	char *got = rc == RC_OK ? written(command)
	    : rc == RC_NOTFOUND ? g_strdup("-")
				: g_strconcat("!", err.text, NULL);
	bool found =
	    want[0] == '!' && want[1] != '\0' && got[0] == '!' && strstr(got, want + 1) != NULL;
	int failed = found ? 0 : unit_str(text, got, want);
	g_free(got);
	g_free(command);
	return failed;
}

struct row {
	const char *text;
	const char *want;
};

static void run(const struct row *rows, size_t n)
{
	int failed = 0;
	for (size_t i = 0; i < n; i++)
		failed += read_is("Re: your digest", rows[i].text, rows[i].want);
	assert_int_equal(failed, 0);
}

static void test_english(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"release 3 5", "send 3 5"},
	    {"Release 3,5", "send 3 5"},
	    {"RELEASE 3 and 5.", "send 3 5"},
	    {"release #3, #5!", "send 3 5"},
	    {"send 3-5", "send 3 4 5"},
	    {"send 3\xe2\x80\x93"
	     "5",
		"send 3 4 5"},
	    {"send 5 3 5 3-4", "send 5 3 4"},
	    {"deliver 1", "send 1"},
	    {"release 3 please", "send 3"},
	    {"release all", "all"},
	    {"Send everything.", "all"},
	    {"allow 2", "allow 2"},
	    {"let through 2", "allow 2"},
	    {"let me through", "-"},
	    {"allow 2 and 4", "allow 2 4"},
	    {"allow news@shop.example", "allow news@shop.example"},
	    {"Allow <News@Shop.example>.", "allow News@Shop.example"},
	    {"allow mailto:news@shop.example", "allow news@shop.example"},
	    {"allow \xe2\x80\x9cnews@shop.example\xe2\x80\x9d", "allow news@shop.example"},
	    {"allow news@m\xc3\xbcnchen.example", "allow news@m\xc3\xbcnchen.example"},
	    {"hold @shop.example", "hold @shop.example"},
	    {"hold @.shop.example", "hold @.shop.example"},
	    {"hold list:news.shop.example", "hold list:news.shop.example"},
	    {"hold List:<news.shop.example>", "hold list:news.shop.example"},
	    {"forget 7", "forget 7"},
	    {"forget @shop.example", "forget @shop.example"},
	    {"pause until 2027-01-05", "pause 2027-01-05"},
	    {"Pause 2027-01-05", "pause 2027-01-05"},
	    {"pause until 2027-01-05 deliver everything", "pause 2027-01-05 pass"},
	    {"pause until 2027-01-05, pass everything.", "pause 2027-01-05 pass"},
	    {"pause until 2027-01-05 hold everything", "pause 2027-01-05"},
	    {"pause until 2026-11-29", "pause 2026-11-29"},
	    {"resume", "resume"},
	    {"Resume!", "resume"},
	    {"times", "times"},
	    {"times Mon-Fri 08:00 17:30", "times [times=Mon-Fri 08:00 17:30]"},
	    {"Times: Mon-Fri 08:00 and 17:30, Sat 10:00.",
		"times [times=Mon-Fri 08:00  17:30, Sat 10:00]"},
	    {"times = none", "times [times=none]"},
	    {"lists", "lists"},
	    {"help", "help"},
	    {"Help?", "help"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

static void test_dutch(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"stuur 3 en 5", "send 3 5"},
	    {"Geef vrij 3", "send 3"},
	    {"vrijgeven 3-5", "send 3 4 5"},
	    {"bezorg alles", "all"},
	    {"laat door 2", "allow 2"},
	    {"sta toe nieuws@winkel.example", "allow nieuws@winkel.example"},
	    {"houd vast 2", "hold 2"},
	    {"Vergeet 2 alsjeblieft", "forget 2"},
	    {"pauze tot 2027-01-05", "pause 2027-01-05"},
	    {"pauzeer tot 2027-01-05, alles bezorgen", "pause 2027-01-05 pass"},
	    {"hervat", "resume"},
	    {"tijden ma-vr 08:00, za zo 10:00", "times [times=Mon-Fri 08:00, Sat Sun 10:00]"},
	    {"tijden geen", "times [times=none]"},
	    {"lijsten", "lists"},
	    {"hulp", "help"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

static void test_german(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"sende 3 und 5", "send 3 5"},
	    {"freigeben 3", "send 3"},
	    {"alles zustellen", "-"}, /* the verb comes first */
	    {"zustellen alles", "all"},
	    {"erlaube 2", "allow 2"},
	    {"durchlassen @laden.example", "allow @laden.example"},
	    {"zur\xc3\xbc"
	     "ckhalten 2",
		"hold 2"},
	    {"zurueckhalten 2", "hold 2"},
	    {"zuru\xcc\x88"
	     "ckhalten 2",
		"hold 2"},
	    {"halten 2 bitte", "hold 2"},
	    {"Vergiss 2", "forget 2"},
	    {"vergi\xc3\x9f 2", "forget 2"},
	    {"Pause bis 2027-01-05", "pause 2027-01-05"},
	    {"Pause bis zum 2027-01-05, alles zustellen", "pause 2027-01-05 pass"},
	    {"fortsetzen", "resume"},
	    {"Zeiten Mo-Fr 08:00 und 17:30", "times [times=Mon-Fri 08:00  17:30]"},
	    {"Zeiten Montag-Mittwoch 08:00", "times [times=Mon-Wed 08:00]"},
	    {"Listen", "lists"},
	    {"Hilfe", "help"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

static void test_french(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"envoyer 3 et 5", "send 3 5"},
	    {"lib\xc3\xa9rer 3", "send 3"},
	    {"LIB\xc3\x89RER 3", "send 3"},
	    {"liberer tout", "all"},
	    {"autoriser 2", "allow 2"},
	    {"laisser passer 2", "allow 2"},
	    {"retenir 2", "hold 2"},
	    {"oublier 2", "forget 2"},
	    {"pause jusqu\xe2\x80\x99"
	     "au 2027-01-05",
		"pause 2027-01-05"},
	    {"suspendre jusqu'\xc3\xa0 2027-01-05, tout livrer", "pause 2027-01-05 pass"},
	    {"reprendre", "resume"},
	    {"horaires lundi-vendredi 08:00", "times [times=Mon-Fri 08:00]"},
	    {"horaires dim 10:00", "times [times=Sun 10:00]"},
	    {"listes", "lists"},
	    {"aide\xc2\xa0!", "help"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

static void test_talk(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"", "-"},
	    {"\n\n  \n", "-"},
	    {"Hold on, I will look", "-"},
	    {"Please send me the report", "-"},
	    {"Send me the report", "-"},
	    {"Allow me to introduce myself", "-"},
	    {"Help me with this", "-"},
	    {"Times have changed", "-"},
	    {"Lists are fun", "-"},
	    {"Resume writing is an art", "-"},
	    {"Forget it", "-"},
	    {"allow list:", "-"},
	    {"Pause for thought", "-"},
	    {"Releases are fun", "-"},
	    {"I am away until 2027-01-05", "-"},
	    {"release me, let me go", "-"},
	    {"send everything to Bob", "-"},
	    {"Weiter so", "-"},
	    {"Tout va bien", "-"},
	    {"En dan nog iets", "-"},
	    {"thank you\nrelease 3", "-"},
	    {"-- \nrelease 3", "-"},
	    {"> release 3", "-"},
	    {"Pullyu is nice", "-"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

static void test_wrong(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"release", "!release 3 5"},
	    {"release 0", "!release 3 5"},
	    {"release 5-3", "!release 3 5"},
	    {"release 3-", "!release 3 5"},
	    {"release -3", "!release 3 5"},
	    {"release 99999", "!release 3 5"},
	    {"release 3x", "!release 3 5"},
	    {"release 1-51", "!more than 50"},
	    {"release 1-50 51", "!more than 50"},
	    {"release 3 to Bob", "!release 3 5"},
	    {"allow", "!allow 2"},
	    {"allow 2 news@shop.example", "!allow 2"},
	    {"allow a@b.example c@d.example", "!allow 2"},
	    {"allow @", "!allow 2"},
	    {"allow a@b@c", "!allow 2"},
	    {"allow shop.example", "!allow @shop.example"},
	    {"allow list:<>.", "!allow 2"},
	    {"allow a@b\x01.example", "!allow 2"},
	    {"allow list:a\x7f", "!allow 2"},
	    {"pause", "!pause until 2026-12-12, or"},
	    {"pause until 05/01/2027", "!pause until 2026-12-12, or"},
	    {"pause until 2027-02-30", "!pause until 2026-12-12, or"},
	    {"pause until 2027-01-05 and then some", "!pause until 2026-12-12, or"},
	    {"pause until 2026-11-28", "!right would be: pause until 2026-12-12"},
	    {"pause until 2020-01-01", "!would be over, today is 2026-11-28"},
	    {"resume 3", "!resume"},
	    {"times Mon-Fri 8", "!times Mon-Fri 08:00 17:30"},
	    {"times Foo 08:00", "!times Mon-Fri 08:00 17:30"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

/* Where the words stand. */
static void test_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"\r\n\r\nrelease 3\r\n\r\nAnn", "send 3"},
	    {"  release\t3  ", "send 3"},
	    {"release\xc2\xa0"
	     "3",
		"send 3"},
	    {"\xef\xbb\xbfrelease 3", "send 3"},
	    {"release 3\n-- \nAnn\nTel 5", "send 3"},
	    {"release 3\n\n> hold 5", "send 3"},
	    {"> 1. Shop\n> 2. Bank\n\nrelease 2", "send 2"},
	    {"On Mon, 23 Nov 2026, Pullyu wrote:\n> 1. Shop\n\nrelease 1", "send 1"},
	    {"On Monday, 23 November 2026 at 08:00,\nPullyu <digest@example.org> wrote:\n\n"
	     "> 1. Shop\n\nrelease 1",
		"send 1"},
	    {"On Mon Ann wrote:\nrelease 1", "-"},
	    {"\"release 3\"", "send 3"},
	    {"\xff\xfe release 3", "-"},
	};
	run(rows, G_N_ELEMENTS(rows));
	char *large = g_strnfill(16000, '3');
	assert_int_equal(read_is("", large, "-"), 0);
	memset(large, ' ', 16000);
	assert_int_equal(read_is("", large, "-"), 0);
	memset(large, '>', 16000);
	assert_int_equal(read_is("", large, "-"), 0);
	memcpy(large, "release ", 8);
	for (size_t i = 8; i < 16000; i++)
		large[i] = i % 2 == 0 ? '3' : ' ';
	assert_int_equal(read_is("", large, "send 3"), 0);
	g_free(large);
}

/* What clients put around the words: Gmail, iOS, Thunderbird, K-9, Outlook; then what is no client's. */
static void test_replies(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"release 3 5\n"
	     "On Mon, Nov 23, 2026 at 8:00 AM Pullyu <digest@example.org> wrote:\n"
	     "> 1. Shop",
		"send 3 5"},
	    {"release 3 5\n"
	     "On Mon, 23 Nov 2026 at 08:00, Pullyu <digest@example.org>\n"
	     "wrote:\n"
	     "\n"
	     "> 1. Shop",
		"send 3 5"},
	    {"release 3 5\n"
	     "\n"
	     "On Mon, 23 Nov 2026 at 08:00, Pullyu <digest@example.org>\n"
	     "wrote:\n"
	     "\n"
	     "> 1. Shop",
		"send 3 5"},
	    {"stuur 3 en 5\n"
	     "Op ma 23 nov. 2026 om 08:00 schreef Pullyu <digest@example.org>:\n"
	     "> 1. Winkel",
		"send 3 5"},
	    {"sende 3 und 5\n"
	     "Am Mo., 23. Nov. 2026 um 08:00\xe2\x80\xafUhr schrieb Pullyu <\n"
	     "digest@example.org>:\n"
	     "> 1. Laden",
		"send 3 5"},
	    {"envoyer 3 et 5\n"
	     "Le lun. 23 nov. 2026 \xc3\xa0 08:00, Pullyu <digest@example.org> a\n"
	     "\xc3\xa9"
	     "crit :\n"
	     "> 1. Boutique",
		"send 3 5"},
	    {"Release 3\n"
	     "\n"
	     "Sent from my iPhone\n"
	     "\n"
	     "> On 23 Nov 2026, at 08:00, Pullyu <digest@example.org> wrote:\n"
	     "> \n"
	     "> \xef\xbb\xbf"
	     "1. Shop",
		"send 3"},
	    {"Vergeet 2\n"
	     "Op 23 nov. 2026 om 08:00 heeft Pullyu <digest@example.org> het volgende geschreven:\n"
	     "\n"
	     "> 1. Winkel",
		"forget 2"},
	    {"Vergiss 2\n"
	     "Am 23.11.2026 um 08:00 schrieb Pullyu <digest@example.org>:\n"
	     "\n"
	     "> 1. Laden",
		"forget 2"},
	    {"Oublier 2\n"
	     "Le 23 nov. 2026 \xc3\xa0 08:00, Pullyu <digest@example.org> a \xc3\xa9"
	     "crit :\n"
	     "\n"
	     "> 1. Boutique",
		"forget 2"},
	    {"hold 2\n"
	     "On 23/11/2026 08:00, Pullyu wrote:\n"
	     "> 1. Shop",
		"hold 2"},
	    {"hold 2\n"
	     "Pullyu wrote on 11/23/2026 8:00 AM:\n"
	     "> 1. Shop",
		"hold 2"},
	    {"vasthouden 2\n"
	     "Op 23-11-2026 om 08:00 schreef Pullyu:\n"
	     "> 1. Winkel",
		"hold 2"},
	    {"halten 2\n"
	     "Am 23.11.26 um 08:00 schrieb Pullyu:\n"
	     "> 1. Laden",
		"hold 2"},
	    {"retenir 2\n"
	     "Le 23/11/2026 \xc3\xa0 08:00, Pullyu a \xc3\xa9"
	     "crit\xc2\xa0:\n"
	     "> 1. Boutique",
		"hold 2"},
	    {"allow 2\n"
	     "On 23 November 2026 08:00:00 CET, Pullyu <digest@example.org> wrote:\n"
	     ">1. Shop",
		"allow 2"},
	    {"durchlassen 2\n"
	     "\n"
	     "\n"
	     "Am 23. November 2026 08:00:00 MEZ schrieb Pullyu <digest@example.org>:\n"
	     ">1. Laden",
		"allow 2"},
	    {"allow 2\n"
	     "2026-11-23 08:00 GMT+01:00, Pullyu <digest@example.org>:\n"
	     ">1. Shop",
		"allow 2"},
	    {"allow 2\n"
	     "-------- Original Message --------\n"
	     "From: Pullyu <digest@example.org>\n"
	     "Sent: Mon Nov 23 08:00:00 CET 2026\n"
	     "\n"
	     "1. Shop",
		"allow 2"},
	    {"release 3\n"
	     "From: Pullyu <digest@example.org>\n"
	     "Sent: Monday, 23 November 2026 08:00\n"
	     "To: Ann\n"
	     "Subject: Digest\n"
	     "\n"
	     "hold 5",
		"send 3"},
	    {"release 3\n"
	     "\n"
	     "-----Original Message-----\n"
	     "From: Pullyu\n"
	     "Sent: Monday\n"
	     "\n"
	     "hold 5",
		"send 3"},
	    {"release 3\n"
	     "________________________________\n"
	     "From: Pullyu <digest@example.org>\n"
	     "Sent: Monday\n"
	     "\n"
	     "hold 5",
		"send 3"},
	    {"stuur 3\n"
	     "Van: Pullyu\n"
	     "Verzonden: maandag 23 november 2026 08:00\n"
	     "\n"
	     "1. Winkel",
		"send 3"},
	    {"sende 3\n"
	     "Von: Pullyu\n"
	     "Gesendet: Montag, 23. November 2026 08:00\n"
	     "\n"
	     "1. Laden",
		"send 3"},
	    {"envoyer 3\n"
	     "De\xc2\xa0: Pullyu\n"
	     "Envoy\xc3\xa9\xc2\xa0: lundi 23 novembre 2026 08:00\n"
	     "\n"
	     "1. Boutique",
		"send 3"},
	    {"Hi\n"
	     "On Mon, 23 Nov 2026, Pullyu wrote:\n"
	     "> 1. Shop\n"
	     "\n"
	     "release 1",
		"-"},
	    {"release 3x\n"
	     "On Mon, 23 Nov 2026, Pullyu wrote:\n"
	     "> 1. Shop",
		"!release 3 5"},
	    {"release 3:\n"
	     "> 1. Shop",
		"send 3"},
	    {"From: Pullyu\n"
	     "\n"
	     "Sent: Monday\n"
	     "\n"
	     "release 1",
		"-"},
	    {"-----Urspr\xc3\xbcngliche Nachricht-----\n"
	     "Von: Pullyu\n"
	     "\n"
	     "sende 1",
		"-"},
	    {"-----Message d\xe2\x80\x99origine-----\n"
	     "envoyer 1",
		"-"},
	    {"-----Oorspronkelijk bericht-----\n"
	     "stuur 1",
		"-"},
	    {"From: the start\n"
	     "of it\n"
	     "\n"
	     "release 1",
		"-"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

/* "times" alone, and settings below it. */
static void test_times_below(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"times\n"
	     "timezone = Europe/Amsterdam",
		"times [timezone=Europe/Amsterdam]"},
	    {"Times\n"
	     "\n"
	     "times: Mon-Fri 08:00\n"
	     "language = nl\n"
	     "-- \n"
	     "originals = inbox",
		"times [times=Mon-Fri 08:00] [language=nl]"},
	    {"tijden\n"
	     "timezone = Europe/Amsterdam\n"
	     "language = nl\n"
	     "Op 23-11-2026 om 08:00 schreef Pullyu:\n"
	     "> times = 09:00",
		"times [timezone=Europe/Amsterdam] [language=nl]"},
	    {"zeiten\n"
	     "language = de\n"
	     "\n"
	     "Von: Pullyu\n"
	     "Gesendet: Montag\n"
	     "\n"
	     "times = 09:00",
		"times [language=de]"},
	    {"horaires\n"
	     "language = fr\n"
	     "\n"
	     "Ann",
		"times [language=fr]"},
	    {"times\n"
	     "> language = nl",
		"times"},
	    {"times\n"
	     "Thanks!\n"
	     "Tel: 5",
		"times"},
	    {"times\n"
	     "timezne = Europe/Paris",
		"!there is nothing called 'timezne'"},
	    {"times\n"
	     "language = nl\n"
	     "language = de",
		"!said twice"},
	    {"language = nl\n"
	     "\n"
	     "times",
		"-"},
	    {"Hello\n"
	     "times\n"
	     "language = nl",
		"-"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

/* What clients make of an address. */
static void test_links(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"allow news@shop.example<mailto:news@shop.example>", "allow news@shop.example"},
	    {"allow News@Shop.example<mailto:news@shop.example>.", "allow News@Shop.example"},
	    {"allow news@shop.example <news@shop.example>", "allow news@shop.example"},
	    {"allow news@shop.example <mailto:news@shop.example> please",
		"allow news@shop.example"},
	    {"hold @shop.example<http://shop.example>", "hold @shop.example"},
	    {"hold @shop.example <https://shop.example/>", "hold @shop.example"},
	    {"forget list:news.shop.example <http://news.shop.example>",
		"forget list:news.shop.example"},
	    {"forget list:news.shop.example<http://news.shop.example/>",
		"forget list:news.shop.example"},
	    {"allow news@shop.example<mailto:x@evil.example>", "!allow 2"},
	    {"allow news@shop.example <x@evil.example>", "!allow 2"},
	    {"allow <>", "!allow 2"},
	    {"allow <@", "!allow 2"},
	    {"allow @<http://>", "!allow 2"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

/* ---- tokens ---- */

/* A token of that verb with a signature that is none: reading does not look at it. */
static char *token_of(enum command_verb verb)
{
	unsigned char content[14] = {1, (unsigned char)verb};
	char *text = g_base64_encode(content, sizeof(content));
	char *signature = g_strnfill(43, 'S');
	text[strcspn(text, "=")] = '\0';
	char *token = g_strconcat(signature, text, NULL);
	g_free(signature);
	g_free(text);
	return token;
}

static int token_is(const char *label, const char *subject, const char *text, const char *want)
{
	struct command *command = g_new0(struct command, 1);
	struct err err = {{0}};
	enum rc rc = command_read(subject, text, keys, TODAY, command, &err);
	int failed = unit_str(label, rc_name(rc), "ok") + unit_str(label, command->token, want);
	g_free(command);
	return failed;
}

static void test_token_places(void **state)
{
	(void)state;
	char *token = token_of(COMMAND_ALLOW), *other = token_of(COMMAND_HOLD);
	static const struct {
		const char *label, *subject, *text; /* %s: the token; $: another one */
	} rows[] = {
	    {"subject", "Let Shop through [pullyu %s]", ""},
	    {"reply", "Re: Let Shop through [Pullyu  %s ] (fwd)", "release 3"},
	    {"folded", "Let Shop through [pullyu\n %s]", ""},
	    {"a sender's own", "Let [pullyu abc] through [pullyu %s]", ""},
	    {"subject before text", "[pullyu %s]", "pullyu $"},
	    {"text", "", "pullyu %s"},
	    {"text, further down", "hello", "\nhello\n\nPullyu %s \nmore"},
	    {"text with brackets", "", "[pullyu %s]"},
	};
	int failed = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char **parts = g_strsplit(rows[i].subject, "%s", -1);
		char *subject = g_strjoinv(token, parts);
		g_strfreev(parts);
		parts = g_strsplit(rows[i].text, "%s", -1);
		char *text = g_strjoinv(token, parts);
		g_strfreev(parts);
		parts = g_strsplit(text, "$", -1);
		g_free(text);
		text = g_strjoinv(other, parts);
		g_strfreev(parts);
		failed += token_is(rows[i].label, subject, text, token);
		g_free(subject);
		g_free(text);
	}
	char *quoted = g_strdup_printf("> pullyu %s", token);
	failed += read_is("", quoted, "-");
	char *large = g_strnfill(COMMAND_TOKEN_MAX, 'x');
	char *subject = g_strdup_printf("[pullyu %s]", large);
	failed += read_is(subject, "", "!too long");
	failed += read_is("[pullyu what?]", "", "-");
	failed += read_is("[pullyu]", "", "-");
	failed += read_is("[pullyuabc]", "", "-");
	failed += token_is("damaged", "[pullyu abc]", "", "abc");
	g_free(subject);
	g_free(large);
	g_free(quoted);
	g_free(other);
	g_free(token);
	assert_int_equal(failed, 0);
}

static void run_forms(enum command_verb verb, const struct row *rows, size_t n)
{
	int failed = 0;
	char *token = token_of(verb);
	char *subject = g_strdup_printf("My times [pullyu %s]", token);
	for (size_t i = 0; i < n; i++)
		failed += read_is(subject, rows[i].text, rows[i].want);
	g_free(subject);
	g_free(token);
	assert_int_equal(failed, 0);
}

#define SIXTY "Mon 08:00, Tue 08:00, Wed 08:00, Thu 08:00, Fri 08:00, Sat"

static void test_times_form(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"", "times"},
	    {"times = Mon-Fri 08:00 17:30\nlanguage = nl\n",
		"times [times=Mon-Fri 08:00 17:30] [language=nl]"},
	    {"Times: Mon\xe2\x80\x93"
	     "Fri 08:00\r\n",
		"times [times=Mon-Fri 08:00]"},
	    {"> times = 08:00\n>language=nl\n", "times [times=08:00] [language=nl]"},
	    {"> > times\xc2\xa0=\xc2\xa0"
	     "08:00\n",
		"times [times=08:00]"},
	    {"times = 09:00\n\nOn Monday Pullyu wrote:\n> times = 08:00\n> language = de\n",
		"times [times=09:00] [language=de]"},
	    {"times = 09:00\ntimes = 09:00\n", "times [times=09:00]"},
	    {"times = 09:00\ntimes = 10:00\n", "!said twice"},
	    {"times = \xe2\x80\x9c"
	     "09:00\xe2\x80\x9d",
		"times [times=09:00]"},
	    {"pause until = 2027-01-05", "times [pause_until=2027-01-05]"},
	    {"pause_until =\n", "times [pause_until=]"},
	    {"timezne = Europe/Paris", "!there is nothing called 'timezne'"},
	    {"Example: times = 08:00\nhttps://example.org/?times=08:00\nSent: today\n", "times"},
	    {"Change what you like and send this mail.\n\ntimes = 08:00\n-- \nlanguage = nl\n",
		"times [times=08:00]"},
	    {"times = 08:00\x01", "!control characters"},
	    {"times = " SIXTY "\n10:00\nlanguage = nl\n",
		"times [times=" SIXTY " 10:00] [language=nl]"},
	    {"times = " SIXTY " 10:00\nlanguage: nl\n",
		"times [times=" SIXTY " 10:00] [language=nl]"},
	    {"times = " SIXTY " 10:00\n\nAnn\n", "times [times=" SIXTY " 10:00]"},
	    {"# originals = attach, folder or inbox\noriginals = folder",
		"times [originals=folder]"},
	    {"release 3", "times"},
	};
	run_forms(COMMAND_TIMES, rows, G_N_ELEMENTS(rows));
	char *large = g_strnfill(1100, 'x');
	char *text = g_strconcat("times = ", large, NULL);
	struct row row = {text, "!more than 999 bytes"};
	run_forms(COMMAND_TIMES, &row, 1);
	g_free(text);
	g_free(large);
}

static void test_pause_form(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"", "pause"},
	    {"until = 2027-01-05", "pause 2027-01-05"},
	    {"> until: 2027-01-05\n> pass: yes", "pause 2027-01-05 pass"},
	    {"until = 2027-01-05\npass = no", "pause 2027-01-05"},
	    {"until =\npass =", "pause"},
	    {"until = tomorrow", "!is no date like"},
	    {"until = 2026-11-28", "!would be over"},
	    {"until = 2027-01-05\npass = perhaps", "!neither yes nor no"},
	    {"times = 08:00", "!there is nothing called 'times'"},
	};
	run_forms(COMMAND_PAUSE, rows, G_N_ELEMENTS(rows));
}

static void test_other_tokens_have_no_form(void **state)
{
	(void)state;
	static const struct row row = {"times = 08:00\nfoo = bar\nuntil = tomorrow", "allow"};
	run_forms(COMMAND_ALLOW, &row, 1);
}

static unsigned next_random(void)
{
	static uint32_t state = 12345;
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

/* Heaps of what a parser looks for: nothing that comes out breaks its promise. */
static void test_heaps(void **state)
{
	static const char *const pieces[] = {"release", "allow", "hold", "pause", "until", "times",
	    "3", "-", "5", ",", " ", " ", "\n", "\n", "> ", ">", "=", ":", "pass", "until",
	    "2027-01-05", "a@b.example", "@", "list:", "[pullyu ", "pullyu ", "]", "\x01", "\xff",
	    "\xe2\x80\x93", "\xc2\xa0", "\xcc\x88", "language", "-- \n", "wrote:", "99999999999",
	    "08:00", "Mon", "'", "\"", "\t", "\r", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct command *command = g_new0(struct command, 1);
	char *times = token_of(COMMAND_TIMES), *pause = token_of(COMMAND_PAUSE);
	(void)state;
	for (int round = 0; round < 20000; round++) {
		GString *subject = g_string_new(NULL), *text = g_string_new(NULL);
		struct err err = {{0}};
		if (round % 3 != 0)
			g_string_printf(subject, "[pullyu %s]", round % 3 == 1 ? times : pause);
		for (unsigned n = next_random() % 40; n > 0; n--)
			g_string_append(text, pieces[next_random() % G_N_ELEMENTS(pieces)]);
		if (round % 3 == 0)
			g_string_assign(subject, text->str + next_random() % (text->len + 1));
		enum rc rc = command_read(subject->str, text->str, keys, TODAY, command, &err);
		assert_true(rc == RC_OK || err.text[0] != '\0');
		assert_true(rc == RC_OK || rc == RC_NOTFOUND || rc == RC_PERM);
		assert_true(g_utf8_validate(err.text, -1, NULL));
		assert_true(command->n_numbers <= COMMAND_NUMBERS_MAX);
		for (size_t i = 0; rc == RC_OK && i < command->n_form; i++) {
			assert_true(g_strv_contains(keys, command->form[i].key));
			assert_true(g_utf8_validate(command->form[i].value, -1, NULL));
			for (const char *p = command->form[i].value; *p != '\0'; p++)
				assert_false(g_ascii_iscntrl(*p));
		}
		g_string_free(subject, TRUE);
		g_string_free(text, TRUE);
	}
	g_free(times);
	g_free(pause);
	g_free(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_english),
	    cmocka_unit_test(test_dutch),
	    cmocka_unit_test(test_german),
	    cmocka_unit_test(test_french),
	    cmocka_unit_test(test_talk),
	    cmocka_unit_test(test_wrong),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_replies),
	    cmocka_unit_test(test_times_below),
	    cmocka_unit_test(test_links),
	    cmocka_unit_test(test_token_places),
	    cmocka_unit_test(test_times_form),
	    cmocka_unit_test(test_pause_form),
	    cmocka_unit_test(test_other_tokens_have_no_form),
	    cmocka_unit_test(test_heaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
