/*
 * commander.c: see commander.h. In doubt a message is no command: it then goes where it was sent.
 */
#include <config.h>

#include "milter/commander.h"

#include <string.h>

#include <glib.h>

#include "auth/auth.h"

const char *commander_name(enum commander by)
{
	static const char *const names[] = {"none", "login", "aligned"};
	return names[by];
}

/* ---- what no person has sent ---- */

/* Whether the first word of a field's body is one of words; "" stands for any. */
static bool says(const struct facts_field *field, const char *const *words)
{
	size_t len = strcspn(field->value, " ;\t");
	for (; *words != NULL; words++) {
		if ((*words)[0] == '\0' ||
		    (strlen(*words) == len && g_ascii_strncasecmp(field->value, *words, len) == 0))
			return true;
	}
	return false;
}

static bool by_machine(const struct facts *facts)
{
	static const char *const any[] = {"", NULL};
	static const char *const no[] = {"no", NULL};
	static const char *const bulk[] = {"bulk", "list", "junk", "auto_reply", NULL};
	static const struct {
		const char *name;
		const char *const *words;
		bool unless;
	} signs[] = {
	    {"auto-submitted", no, true}, /* RFC 3834 */
	    {"precedence", bulk, false},
	    {"x-auto-response-suppress", any, false},
	    {"x-autoreply", any, false},
	    {"x-autorespond", any, false},
	    {"x-pullyu-digest", any, false},
	};
	if (facts->envelope_from[0] == '\0' || facts_has(facts, FACT_REPORT))
		return true;
	for (size_t i = 0; i < facts->n_fields; i++) {
		const struct facts_field *field = &facts->fields[i];
		if (g_str_has_prefix(field->name, "list-"))
			return true;
		for (size_t j = 0; j < G_N_ELEMENTS(signs); j++) {
			if (strcmp(field->name, signs[j].name) == 0 &&
			    says(field, signs[j].words) != signs[j].unless)
				return true;
		}
	}
	return false;
}

bool commander_user(const struct commander_question *question, char user_out[ADDR_MAX])
{
	const struct facts *facts = question->message->facts;
	return facts->from_count == 1 && !facts_has(facts, FACT_DUPLICATE) &&
	    !facts_has(facts, FACT_TRUNCATED) && !by_machine(facts) &&
	    users_key(question->users, facts->from_addr, user_out, NULL) == RC_OK;
}

/* ---- who has sent it ---- */

static bool envelope_is(const struct commander_question *question, const char *user)
{
	char sender[ADDR_MAX];
	return users_key(question->users, question->mail_from, sender, NULL) == RC_OK &&
	    strcmp(sender, user) == 0;
}

/* A login without a domain is of this machine's users. */
static bool login_is(const struct commander_question *question, const char *user)
{
	const struct conf *conf = question->conf;
	const struct addr_opts opts = {.delimiters = NULL, .keep_case = conf->keep_case};
	const char *domain = addr_domain(user);
	char login[ADDR_MAX];
	if (strchr(question->login, '@') != NULL)
		return addr_normalise(question->login, &opts, login, NULL) == RC_OK &&
		    strcmp(login, user) == 0;
	if (strcmp(domain, conf->host) != 0 &&
	    (conf->system_domains == NULL ||
		!g_strv_contains((const char *const *)conf->system_domains, domain)))
		return false;
	char *whole = g_strconcat(question->login, "@", domain, NULL);
	bool same = addr_normalise(whole, &opts, login, NULL) == RC_OK && strcmp(login, user) == 0;
	g_free(whole);
	return same;
}

static bool aligned(
    const struct commander_question *question, const struct asker *asker, const char *user)
{
	const struct decide_message *message = question->message;
	const struct facts *facts = message->facts;
	const char *domain = addr_domain(facts->from_addr);
	enum auth_state state = message->authserv_ids == NULL
	    ? AUTH_ABSENT
	    : auth_results_state(
		  facts->auth_results, facts->n_auth_results, message->authserv_ids, domain);
	/* SPF knows the domain alone, whether we ask or a trusted server has, and DMARC may rest on
	 * it: without this, whoever may send for the domain could be anybody there, a web form that
	 * sets From for instance. */
	if (!envelope_is(question, user))
		return state == AUTH_PASS &&
		    auth_results_dkim(
			facts->auth_results, facts->n_auth_results, message->authserv_ids, domain);
	if (state != AUTH_ABSENT)
		return state == AUTH_PASS;
	if (!message->spf || message->client_ip[0] == '\0')
		return false;
	const struct auth_spf_query query = {
	    .client_ip = message->client_ip,
	    .helo = message->helo,
	    .envelope_from = facts->envelope_from,
	};
	enum auth_spf result;
	return asker->spf(asker->ctx, &query, &result) &&
	    auth_spf_state(result, facts->envelope_from, domain) == AUTH_PASS;
}

enum commander commander_right(
    const struct commander_question *question, const struct asker *asker, const char *user)
{
	if (question->login[0] == '\0')
		return aligned(question, asker, user) ? COMMANDER_ALIGNED : COMMANDER_NONE;
	if (!envelope_is(question, user) ||
	    (question->conf->command_login_check && !login_is(question, user)))
		return COMMANDER_NONE;
	return COMMANDER_LOGIN;
}
