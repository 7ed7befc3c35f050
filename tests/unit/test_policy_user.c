/*
 * test_policy_user.c: who takes part, whose files are believed, and what happens when they change.
 */
#include <config.h>

#include "policy/user.h"

#include <pthread.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "conf/conf.h"
#include "conf/settings_edit.h"
#include "policy/user_file.h"
#include "unit.h"

static char *top; /* users/%d/%u below it */
static struct conf *conf;

static int setup(void **state)
{
	(void)state;
	top = g_dir_make_tmp("pullyu-user-XXXXXX", NULL);
	return top != NULL && conf_load(NULL, NULL, NULL, &conf, NULL) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	char *command = g_strdup_printf("rm -rf '%s'", top);
	int result = system(command);
	g_free(command);
	g_free(top);
	conf_unref(&conf);
	return result;
}

static char *path_of(const char *name)
{
	return g_build_filename(top, name, NULL);
}

/* Replaces the file by a new one with this text, making directories. */
static void put(const char *name, const char *text)
{
	char *path = path_of(name);
	char *parent = g_path_get_dirname(path);
	assert_int_equal(g_mkdir_with_parents(parent, 0755), 0);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(chmod(path, 0644), 0);
	g_free(parent);
	g_free(path);
}

static void drop(const char *name)
{
	char *path = path_of(name);
	assert_int_equal(g_remove(path), 0);
	g_free(path);
}

/* Users with directories users/DOMAIN/LOCAL; domains: NULL-terminated system domains, or NULL. */
static enum rc open_users(
    const char *template, char **domains, struct users **users_out, struct err *err)
{
	char *dir = path_of("users/%d/%u"), *participants = path_of("participants");
	const struct users_config config = {
	    .settings_dir = template == NULL ? dir : template,
	    .participants = participants,
	    .system_domains = domains,
	    .delimiters = "+",
	    .defaults = &conf->defaults,
	};
	enum rc rc = users_new(&config, users_out, err);
	g_free(dir);
	g_free(participants);
	return rc;
}

static struct users *users_or_die(void)
{
	struct users *users = NULL;
	struct err err = {""};
	enum rc rc = open_users(NULL, NULL, &users, &err);
	if (rc != RC_OK)
		fprintf(stderr, "users_new: %s\n", err.text);
	assert_int_equal(rc, RC_OK);
	return users;
}

/* "part usable 2h allow=1 hold=0 problem" of a user. */
static char *dump(struct users *users, const char *key)
{
	struct user *user = NULL;
	struct err err = {""};
	if (users_get(users, key, &user, &err) != RC_OK)
		return g_strdup(err.text);
	char *text = g_strdup_printf("%s%s times=%zu allow=%zu hold=%zu %s",
	    user->takes_part ? "part" : "no", user->usable ? "" : " unusable",
	    user->settings.times.n, list_count(user->allow), list_count(user->hold), user->problem);
	assert_string_equal(user->name, key);
	user_unref(&user);
	assert_null(user);
	return g_strstrip(text);
}

static int want(struct users *users, const char *label, const char *key, const char *wanted)
{
	char *got = dump(users, key);
	int failed = unit_str(label, got, wanted);
	g_free(got);
	return failed;
}

/* By his own settings, by the site's, or because of his domain. */
static void test_shadow(void **state)
{
	static const struct {
		const char *label, *key, *settings;
		bool want;
	} rows[] = {
	    {"nobody said so", "a@plain.example", "[hold]\nclasses = newsletter\n", false},
	    {"his settings", "b@plain.example", "[hold]\nshadow = yes\n", true},
	    {"his domain", "a@shadow.example", NULL, true},
	    {"his domain, and his settings say no", "b@shadow.example", "[hold]\nshadow = no\n",
		true},
	    {"a domain below", "a@sub.shadow.example", NULL, false},
	};
	char other[] = "other.example", his[] = "shadow.example";
	char *domains[] = {other, his, NULL};
	char *dir = path_of("users/%d/%u"), *participants = path_of("participants");
	const struct users_config config = {.settings_dir = dir,
	    .participants = participants,
	    .shadow_domains = domains,
	    .delimiters = "+",
	    .defaults = &conf->defaults};
	struct users *users = NULL;
	int failed = 0;
	(void)state;
	assert_int_equal(users_new(&config, &users, NULL), RC_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *at = strchr(rows[i].key, '@');
		struct user *user = NULL;
		char *name = g_strdup_printf(
		    "users/%s/%.*s/settings.ini", at + 1, (int)(at - rows[i].key), rows[i].key);
		if (rows[i].settings != NULL)
			put(name, rows[i].settings);
		assert_int_equal(users_get(users, rows[i].key, &user, NULL), RC_OK);
		failed += unit_num(rows[i].label, user->shadow, rows[i].want);
		user_unref(&user);
		g_free(name);
	}
	users_free(&users);
	g_free(dir);
	g_free(participants);
	assert_int_equal(failed, 0);
}

/* ctx: an entry of the hold list, or one that is to be refused. */
static enum rc hold_entry(void *ctx, const char *old, char **new_out, struct err *err)
{
	bool changed;
	return list_edit(LIST_HOLD, old, ctx, LIST_ADD, new_out, &changed, err);
}

/* ctx: the times. */
static enum rc set_times(void *ctx, const char *old, char **new_out, struct err *err)
{
	bool changed;
	return settings_edit(old, "digest", "times", ctx, new_out, &changed, err);
}

static void test_edit(void **state)
{
	static char news[] = "news@b.org: newsletter", security[] = "news@b.org: security",
		    three[] = "08:00 12:00 16:00", wrong[] = "25:00";
	static const char key[] = "w@edit.example";
	struct users *users = users_or_die(), *homes = NULL;
	struct err err = {""};
	bool changed = false;
	int failed = 0;
	(void)state;
	failed += want(users, "before", key, "no times=2 allow=0 hold=0");
	failed += unit_num(
	    "hold", users_edit(users, key, "hold", hold_entry, news, &changed, &err), RC_OK);
	failed += unit_num("hold", changed, true);
	failed += unit_num("times",
	    users_edit(users, key, "settings.ini", set_times, three, &changed, &err), RC_OK);
	failed += want(users, "after", key, "part times=3 allow=0 hold=1");
	failed += unit_num(
	    "again", users_edit(users, key, "hold", hold_entry, news, &changed, &err), RC_OK);
	failed += unit_num("again", changed, false);
	failed += unit_num("refused",
	    users_edit(users, key, "hold", hold_entry, security, &changed, &err), RC_PERM);
	failed += unit_num("refused",
	    users_edit(users, key, "settings.ini", set_times, wrong, &changed, &err), RC_PERM);
	failed += want(users, "nothing of it", key, "part times=3 allow=0 hold=1");
	/* What may stand in allow and not in hold. */
	put("users/edit.example/w/allow", "a@b.org: security\n");
	failed += want(users, "allow", key, "part times=3 allow=1 hold=1");
	put("users/edit.example/w/hold", "a@b.org: security\n");
	failed += want(users, "hold", key,
	    "part times=3 allow=1 hold=1 hold:1: mail of class 'security' is never held; behind "
	    "the colon may stand personal, discussion, newsletter, notification, transactional");
	users_free(&users);
	assert_int_equal(open_users("%h/.pullyu", NULL, &homes, &err), RC_OK);
	failed += unit_num("no home",
	    users_edit(homes, key, "hold", hold_entry, news, &changed, &err), RC_NOTFOUND);
	users_free(&homes);
	assert_int_equal(failed, 0);
}

static void test_key(void **state)
{
	static const struct {
		const char *rcpt, *want;
	} rows[] = {
	    {"<Ann+news@Example.ORG>", "ann@example.org"},
	    {"ann@example.org", "ann@example.org"},
	    {"\"ann+x y\"@example.org", "\"ann+x y\"@example.org"},
	    {"<>", ""},
	    {"ann", ""},
	    {"a@b@c", ""},
	};
	int failed = 0;
	struct users *users = users_or_die();
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char key[ADDR_MAX] = "";
		enum rc rc = users_key(users, rows[i].rcpt, key, NULL);
		failed += unit_num(rows[i].rcpt, rc, rows[i].want[0] == '\0' ? RC_PERM : RC_OK);
		failed += unit_str(rows[i].rcpt, key, rows[i].want);
	}
	users_free(&users);
	assert_null(users);
	assert_int_equal(failed, 0);
}

static void test_dir(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());
	assert_non_null(pw);
	char *home = g_strdup_printf("%s/.pullyu", pw->pw_dir);
	char *key = g_strdup_printf("%s@system.example", pw->pw_name);
	char *virtual = g_strdup_printf("%s@example.org", pw->pw_name);
	const struct {
		const char *template, *key, *want; /* NULL: RC_NOTFOUND */
	} rows[] = {
	    {"/s/%d/%u", "ann@example.org", "/s/example.org/ann"},
	    {"/s/%u@%d/x", "ann@example.org", "/s/ann@example.org/x"},
	    {"/s/%d/%u", "\"../../etc\"@example.org", "/s/example.org/%22..%2F..%2Fetc%22"},
	    {"/s/%d/%u", "..@example.org", "/s/example.org/%2E."},
	    {"%h/.pullyu", key, home},
	    {"%h/.pullyu", virtual, NULL},
	    {"%h/.pullyu", "no-such-user-here@system.example", NULL},
	    {"/s/%d/%u", "no-such-user-here@system.example", "/s/system.example/no-such-user-here"},
	};
	char *domains[] = {(char[]){"system.example"}, NULL};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct users *users = NULL;
		char *dir = NULL;
		assert_int_equal(open_users(rows[i].template, domains, &users, NULL), RC_OK);
		enum rc rc = users_dir(users, rows[i].key, &dir, NULL);
		failed += unit_num(rows[i].key, rc, rows[i].want == NULL ? RC_NOTFOUND : RC_OK);
		failed += unit_str(
		    rows[i].key, dir == NULL ? "" : dir, rows[i].want == NULL ? "" : rows[i].want);
		if (rows[i].want == NULL) /* no settings of their own, and nothing is wrong */
			failed +=
			    want(users, rows[i].key, rows[i].key, "no times=2 allow=0 hold=0");
		failed += unit_num("no address", users_dir(users, "ann", &dir, NULL), RC_PERM);
		g_free(dir);
		users_free(&users);
	}
	g_free(home);
	g_free(key);
	g_free(virtual);
	assert_int_equal(failed, 0);
}

static void test_takes_part(void **state)
{
	int failed = 0;
	(void)state;
	put("participants", "# who\nann@part.example\n@all.example\n@.below.example\n");
	put("users/part.example/own/settings.ini", "[digest]\ntimes = 09:00\n");
	put("users/all.example/out/settings.ini", "[digest]\nenabled = no\n");
	put("users/part.example/empty/settings.ini", "");
	put("users/part.example/lists/allow", "a@b.org\n");
	struct users *users = users_or_die();
	failed += want(users, "named", "ann@part.example", "part times=2 allow=0 hold=0");
	failed += want(users, "not named", "bob@part.example", "no times=2 allow=0 hold=0");
	failed += want(users, "domain", "any@all.example", "part times=2 allow=0 hold=0");
	failed += want(users, "below", "any@x.below.example", "part times=2 allow=0 hold=0");
	failed += want(users, "own settings", "own@part.example", "part times=1 allow=0 hold=0");
	failed +=
	    want(users, "empty settings", "empty@part.example", "part times=2 allow=0 hold=0");
	failed += want(users, "opted out", "out@all.example", "no times=2 allow=0 hold=0");
	failed += want(users, "lists alone", "lists@part.example", "no times=2 allow=1 hold=0");
	failed += want(users, "no address", "ann", "no normalised address: ann");
	users_free(&users);
	drop("participants");
	assert_int_equal(failed, 0);
}

static void test_change(void **state)
{
	int failed = 0;
	struct users *users = users_or_die();
	struct user *before = NULL;
	const char *key = "c@change.example";
	(void)state;
	failed += want(users, "nothing there", key, "no times=2 allow=0 hold=0");
	put("users/change.example/c/settings.ini", "[digest]\ntimes = 09:00\n");
	failed += want(users, "settings appear", key, "part times=1 allow=0 hold=0");
	put("users/change.example/c/allow", "a@b.org\n");
	put("users/change.example/c/hold", "c@d.org\ne@f.org\n");
	failed += want(users, "lists appear", key, "part times=1 allow=1 hold=2");
	assert_int_equal(users_get(users, key, &before, NULL), RC_OK);
	/* A bad file: what was good stays. */
	put("users/change.example/c/settings.ini", "[digest]\ntimes = never\n");
	failed += want(users, "settings turn bad", key,
	    "part times=1 allow=1 hold=2 settings.ini:2: [digest] times: 'never' is neither a "
	    "weekday nor a time of day from 00:00 to 23:59; right would be: Mon-Fri 08:00 17:30, "
	    "Sat Sun 10:00");
	put("users/change.example/c/allow", "a@b.org\nc@d.org\nnonsense\n");
	put("users/change.example/c/settings.ini", "[digest]\ntimes = 09:00 10:00 11:00\n");
	failed += want(users, "another turns bad, the first is mended", key,
	    "part times=3 allow=1 hold=2 allow:3: 'nonsense' is no entry of a list; right would be "
	    "ann@example.org, @example.org, @.example.org or list:NAME");
	failed += want(users, "and stays so", key,
	    "part times=3 allow=1 hold=2 allow:3: 'nonsense' is no entry of a list; right would be "
	    "ann@example.org, @example.org, @.example.org or list:NAME");
	put("users/change.example/c/allow", "a@b.org\nc@d.org\n");
	failed += want(users, "mended", key, "part times=3 allow=2 hold=2");
	drop("users/change.example/c/hold");
	failed += want(users, "a list goes", key, "part times=3 allow=2 hold=0");
	drop("users/change.example/c/settings.ini");
	failed += want(users, "settings go", key, "no times=2 allow=2 hold=0");
	/* Absent is no good version of a file that appears and is bad. */
	put("users/change.example/c/hold", "nonsense\n");
	put("users/change.example/c/settings.ini", "");
	failed += want(users, "appears bad", key,
	    "part unusable times=2 allow=2 hold=0 hold:1: 'nonsense' is no entry of a list; right "
	    "would be ann@example.org, @example.org, @.example.org or list:NAME");
	/* The snapshot taken before did not change. */
	failed += unit_num("snapshot", (long long)before->settings.times.n, 1);
	failed += unit_num("snapshot", (long long)list_count(before->hold), 2);
	users_free(&users);
	failed += unit_str("outlives the cache",
	    list_match_addr(before->hold, "c@d.org", LIST_EVERY_CLASS).entry, "c@d.org");
	user_unref(&before);
	assert_int_equal(failed, 0);
}

/* A directory that goes with all that was in it is a file system that is not mounted. */
static void test_gone(void **state)
{
	int failed = 0;
	struct users *users = users_or_die();
	const char *key = "c@gone.example";
	char *dir = path_of("users/gone.example"), *away = path_of("users/gone.away");
	(void)state;
	put("users/gone.example/c/allow", "a@b.org\n");
	put("users/gone.example/c/settings.ini", "[digest]\ntimes = 09:00\n");
	failed += want(users, "there", key, "part times=1 allow=1 hold=0");
	assert_int_equal(g_rename(dir, away), 0);
	char *text = g_strdup_printf(
	    "part times=1 allow=1 hold=0 the directory %s/users/gone.example/c is missing", top);
	failed += want(users, "gone", key, text);
	failed += want(users, "still gone", key, text);
	failed += want(users, "nothing known", "x@gone.example", "no times=2 allow=0 hold=0");
	assert_int_equal(g_rename(away, dir), 0);
	failed += want(users, "back", key, "part times=1 allow=1 hold=0");
	assert_int_equal(g_rename(dir, away), 0);
	failed += want(users, "gone again", key, text);
	put("users/gone.example/c/hold", "a@b.org\n");
	failed += want(users, "back without these files", key, "no times=2 allow=0 hold=1");
	users_free(&users);
	g_free(text);
	g_free(dir);
	g_free(away);
	assert_int_equal(failed, 0);
}

/* Somebody whose home directory is missing at first sight. */
static void test_homeless(void **state)
{
	char *domains[] = {(char[]){"system.example"}, NULL};
	struct users *users = NULL;
	int failed = 0;
	(void)state;
	const struct passwd *pw;
	setpwent();
	while ((pw = getpwent()) != NULL && access(pw->pw_dir, F_OK) == 0)
		;
	char *key = pw == NULL ? NULL : g_strdup_printf("%s@system.example", pw->pw_name);
	char *text = pw == NULL ? NULL
				: g_strdup_printf("no unusable times=2 allow=0 hold=0 the "
						  "directory %s/.config/pullyu is missing",
				      pw->pw_dir);
	endpwent();
	if (key == NULL) {
		print_message("every system user has a home here: skipped\n");
		skip();
	}
	assert_int_equal(open_users("%h/.config/pullyu", domains, &users, NULL), RC_OK);
	failed += want(users, "first sight", key, text);
	failed += want(users, "second sight", key, text);
	users_free(&users);
	g_free(key);
	g_free(text);
	assert_int_equal(failed, 0);
}

/* Without a change nothing is read: the snapshot is the same one. */
static void test_unchanged(void **state)
{
	struct users *users = users_or_die();
	struct user *a = NULL, *b = NULL;
	char *path = path_of("users/same.example/s/settings.ini");
	int failed = 0;
	(void)state;
	users_get(users, "nobody@same.example", &a, NULL);
	users_get(users, "nobody@same.example", &b, NULL);
	failed += unit_num("no files", a == b, 1);
	user_unref(&a);
	user_unref(&b);
	put("users/same.example/s/settings.ini", "[digest]\ntimes = 09:00\n");
	users_get(users, "s@same.example", &a, NULL);
	users_get(users, "s@same.example", &b, NULL);
	failed += unit_num("changed just now: read again", a == b, 0);
	user_unref(&a);
	user_unref(&b);
	g_usleep(3200 * 1000); /* longer than YOUNG_SECONDS; no file's ctime can be set back */
	users_get(users, "s@same.example", &a, NULL);
	users_get(users, "s@same.example", &b, NULL);
	failed += unit_num("an old file", a == b, 1);
	user_unref(&b);
	/* Same size, and the old time stamp put back. */
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("[digest]\ntimes = 10:00\n", f);
	fclose(f);
	users_get(users, "s@same.example", &b, NULL);
	failed += unit_num("written in place", b->settings.times.slots[0].minute, 600);
	user_unref(&a);
	user_unref(&b);
	users_free(&users);
	g_free(path);
	assert_int_equal(failed, 0);
}

static void test_not_believed(void **state)
{
	int failed = 0;
	struct users *users = users_or_die();
	char *dir = path_of("users/odd.example/u");
	char *path = path_of("users/odd.example/u/hold");
	char *real = path_of("real");
	const char *key = "u@odd.example";
	(void)state;
	put("real", "a@b.org\n");
	put("users/odd.example/u/settings.ini", "");
	assert_int_equal(symlink(real, path), 0);
	failed += want(users, "symbolic link", key,
	    "part unusable times=2 allow=0 hold=0 hold: is a symbolic link: put the file itself "
	    "there");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	failed += want(
	    users, "FIFO", key, "part unusable times=2 allow=0 hold=0 hold: not a regular file");
	alarm(0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	failed += want(users, "directory", key,
	    "part unusable times=2 allow=0 hold=0 hold: not a regular file");
	assert_int_equal(rmdir(path), 0);
	put("users/odd.example/u/hold", "a@b.org\n");
	failed += want(users, "a file", key, "part times=2 allow=0 hold=1");
	assert_int_equal(chmod(path, 0666), 0);
	failed += want(users, "world-writable", key,
	    "part times=2 allow=0 hold=1 hold: everybody may write to it: chmod o-w");
	assert_int_equal(chmod(path, 0664), 0);
	failed += want(users, "group-writable", key, "part times=2 allow=0 hold=1");
	assert_int_equal(truncate(path, LIST_FILE_MAX + 1), 0);
	failed += want(
	    users, "too large", key, "part times=2 allow=0 hold=1 hold: larger than 8388608 bytes");
	put("users/odd.example/u/hold", "a@b.org\n");
	if (geteuid() != 0) { /* root reads everything */
		assert_int_equal(chmod(path, 0), 0);
		failed += want(users, "no permission", key,
		    "part times=2 allow=0 hold=1 hold: cannot be read: Permission denied");
		assert_int_equal(chmod(dir, 0), 0);
		/* There may be an allow list by now: in doubt all passes. */
		failed += want(users, "no permission for the directory", key,
		    "part unusable times=2 allow=0 hold=1 settings.ini: cannot be read: Permission "
		    "denied");
		assert_int_equal(chmod(dir, 0755), 0);
	}
	users_free(&users);
	g_free(real);
	g_free(path);
	g_free(dir);
	assert_int_equal(failed, 0);
}

static void test_owner(void **state)
{
	char *domains[] = {(char[]){"system.example"}, NULL};
	const struct passwd *pw = getpwnam("nobody");
	struct users *users = NULL;
	int failed = 0;
	(void)state;
	if (geteuid() != 0 || pw == NULL) {
		print_message("needs root, to give files away: skipped\n");
		skip();
	}
	uid_t nobody = pw->pw_uid;
	put("users/system.example/nobody/hold", "a@b.org\n");
	put("users/system.example/root/hold", "a@b.org\n");
	put("users/virtual.example/nobody/hold", "a@b.org\n");
	put("users/virtual.example/served/hold", "a@b.org\n");
	static const char *const names[] = {"users/system.example/nobody/hold",
	    "users/system.example/root/hold", "users/virtual.example/nobody/hold",
	    "users/virtual.example/served/hold", "users/virtual.example/served"};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *path = path_of(names[i]);
		assert_int_equal(chown(path, nobody, (gid_t)-1), 0);
		g_free(path);
	}
	assert_int_equal(open_users(NULL, domains, &users, NULL), RC_OK);
	failed += want(users, "his own", "nobody@system.example", "no times=2 allow=0 hold=1");
	char *text = g_strdup_printf("no unusable times=2 allow=0 hold=0 hold: belongs to user id "
				     "%lu: it must belong to the user or to root",
	    (unsigned long)nobody);
	failed += want(users, "another's", "root@system.example", text);
	failed += want(users, "no system user", "nobody@virtual.example", text);
	/* The whole directory is that user's: what pullyud wrote, as root sees it. */
	failed += want(users, "pullyud's", "served@virtual.example", "no times=2 allow=0 hold=1");
	g_free(text);
	users_free(&users);
	assert_int_equal(failed, 0);
}

static void test_participants(void **state)
{
	struct users *users = NULL;
	struct err err = {""};
	char problem[400];
	int failed = 0;
	(void)state;
	put("participants", "nonsense\n");
	failed += unit_num("bad at start", open_users(NULL, NULL, &users, &err), RC_PERM);
	failed += unit_num("bad at start", strstr(err.text, "participants:1: ") != NULL, 1);
	assert_null(users);
	drop("participants");
	users = users_or_die();
	failed += want(users, "missing", "p@p.example", "no times=2 allow=0 hold=0");
	failed += unit_num("missing", users_problem(users, problem), 0);
	put("participants", "@p.example\n");
	failed += want(users, "appears", "p@p.example", "part times=2 allow=0 hold=0");
	put("participants", "nonsense\n");
	failed += want(users, "turns bad", "p@p.example", "part times=2 allow=0 hold=0");
	failed += want(users, "turns bad", "q@p.example", "part times=2 allow=0 hold=0");
	failed += unit_num("turns bad", users_problem(users, problem), 1);
	failed += unit_num("turns bad", strstr(problem, "'nonsense' is no entry") != NULL, 1);
	put("participants", "q@p.example\n");
	failed += want(users, "mended", "p@p.example", "no times=2 allow=0 hold=0");
	failed += want(users, "mended", "q@p.example", "part times=2 allow=0 hold=0");
	failed += unit_num("mended", users_problem(users, problem), 0);
	put("participants", "nonsense\n");
	failed += want(users, "bad again", "q@p.example", "part times=2 allow=0 hold=0");
	put("participants", "q@p.example\n");
	failed += want(users, "as before", "q@p.example", "part times=2 allow=0 hold=0");
	failed += unit_num("as before", users_problem(users, problem), 0);
	drop("participants");
	failed += want(users, "gone", "q@p.example", "no times=2 allow=0 hold=0");
	users_free(&users);
	assert_int_equal(failed, 0);
}

static void collect(void *ctx, const char *file, int line, const char *text)
{
	const char *base = strstr(file, "/users/");
	g_string_append_printf(ctx, "%s:%d: %.30s|", base == NULL ? file : base, line, text);
}

static void test_check(void **state)
{
	struct users *users = users_or_die();
	struct err err = {""};
	GString *problems = g_string_new(NULL);
	int failed = 0;
	(void)state;
	failed += unit_num(
	    "nothing there", users_check(users, "k@check.example", collect, problems, &err), RC_OK);
	put("users/check.example/k/settings.ini",
	    "[digest]\ntimes = 25:00\nlanguage = 1\n[x]\na=b\n");
	put("users/check.example/k/allow", "a@b.org\n");
	put("users/check.example/k/hold", "a@b.org\nx\n");
	failed += unit_num(
	    "bad", users_check(users, "k@check.example", collect, problems, &err), RC_PERM);
	failed += unit_str("bad", problems->str,
	    "/users/check.example/k/settings.ini:5: [x] is no section here; there |"
	    "/users/check.example/k/settings.ini:2: [digest] times: '25:00' is nei|"
	    "/users/check.example/k/settings.ini:3: [digest] language: '1' is no l|"
	    "/users/check.example/k/hold:2: 'x' is no entry of a list; rig|");
	failed += unit_num("bad", strstr(err.text, "settings.ini:5: ") != NULL, 1);
	failed += unit_num("no address", users_check(users, "k", NULL, NULL, &err), RC_PERM);
	put("users/check.example/k/settings.ini", "");
	put("users/check.example/k/hold", "");
	failed +=
	    unit_num("mended", users_check(users, "k@check.example", NULL, NULL, &err), RC_OK);
	g_string_free(problems, TRUE);
	users_free(&users);
	assert_int_equal(failed, 0);
}

static void test_bounds(void **state)
{
	struct users *users = users_or_die();
	struct user *first = NULL, *again = NULL;
	char key[64];
	int failed = 0;
	(void)state;
	users_get(users, "u0@bound.example", &first, NULL);
	for (int i = 1; i <= USERS_CACHE_MAX; i++) {
		struct user *user = NULL;
		snprintf(key, sizeof(key), "u%d@bound.example", i);
		assert_int_equal(users_get(users, key, &user, NULL), RC_OK);
		user_unref(&user);
		if (i == 100) { /* asked for again, so it is not the oldest */
			users_get(users, "u1@bound.example", &user, NULL);
			user_unref(&user);
		}
	}
	users_get(users, "u0@bound.example", &again, NULL);
	failed += unit_num("the oldest left", first == again, 0);
	failed += unit_str("and is still whole", first->name, "u0@bound.example");
	user_unref(&first);
	user_unref(&again);
	users_get(users, key, &first, NULL);
	users_get(users, key, &again, NULL);
	failed += unit_num("the newest stayed", first == again, 1);
	user_unref(&first);
	user_unref(&again);
	users_free(&users);
	assert_int_equal(failed, 0);
}

struct work {
	struct users *users;
	int seed;
};

static void *work(void *data)
{
	const struct work *w = data;
	char key[64];
	for (int i = 0; i < 400; i++) {
		struct user *user = NULL;
		snprintf(key, sizeof(key), "t%d@thread.example", (i * 7 + w->seed) % 5);
		if (users_get(w->users, key, &user, NULL) != RC_OK || user->name[0] != 't')
			return data;
		list_match_addr(user->hold, "a@b.org", LIST_EVERY_CLASS);
		user_unref(&user);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct users *users = users_or_die();
	pthread_t threads[6];
	struct work works[6];
	int failed = 0;
	(void)state;
	for (int i = 0; i < 6; i++) {
		works[i] = (struct work){users, i};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &works[i]), 0);
	}
	for (int i = 0; i < 60; i++) {
		char name[80], problem[400];
		snprintf(name, sizeof(name), "users/thread.example/t%d/hold", i % 5);
		put(name, i % 3 == 0 ? "nonsense\n" : "a@b.org\n");
		put("participants", i % 4 == 0 ? "nonsense\n" : "@thread.example\n");
		users_problem(users, problem);
	}
	for (int i = 0; i < 6; i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		failed += result != NULL;
	}
	users_free(&users);
	drop("participants");
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_key),
	    cmocka_unit_test(test_shadow),
	    cmocka_unit_test(test_edit),
	    cmocka_unit_test(test_dir),
	    cmocka_unit_test(test_takes_part),
	    cmocka_unit_test(test_change),
	    cmocka_unit_test(test_gone),
	    cmocka_unit_test(test_homeless),
	    cmocka_unit_test(test_unchanged),
	    cmocka_unit_test(test_not_believed),
	    cmocka_unit_test(test_owner),
	    cmocka_unit_test(test_participants),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
