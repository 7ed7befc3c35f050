/*
 * names.c: SPF results by name, and what they say about a domain. See auth.h.
 */
#include <config.h>

#include "auth/auth.h"

#include <string.h>

#include <glib.h>

#include "base/addr.h"

static const char *const names[] = {
    [AUTH_SPF_PASS] = "pass",
    [AUTH_SPF_FAIL] = "fail",
    [AUTH_SPF_SOFTFAIL] = "softfail",
    [AUTH_SPF_NEUTRAL] = "neutral",
    [AUTH_SPF_NONE] = "none",
    [AUTH_SPF_TEMPERROR] = "temperror",
    [AUTH_SPF_PERMERROR] = "permerror",
};

const char *auth_spf_name(enum auth_spf result)
{
	return (unsigned)result < G_N_ELEMENTS(names) ? names[result] : "temperror";
}

int auth_spf_by_name(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

enum auth_state auth_spf_state(enum auth_spf result, const char *envelope_from, const char *domain)
{
	if (!addr_domain_within(addr_domain(envelope_from), domain))
		return AUTH_DOUBT;
	return result == AUTH_SPF_PASS ? AUTH_PASS
	    : result == AUTH_SPF_FAIL  ? AUTH_FAIL
				       : AUTH_DOUBT;
}
