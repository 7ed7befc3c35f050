/*
 * test_store_maildir.c: Maildirs that others write to: an IMAP server that renames, files that are
 * not ours, and what a hostile user may put in their own folder.
 */
#include <config.h>

#include "store_unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static const char ann[] = "ann@example.org";

static int setup(void **state)
{
	struct world *w = world_new("maildir", "mem");
	world_open(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* A path in ann's folder. g_free. */
static char *in_folder(struct world *w, const char *name)
{
	return g_build_filename(w->users, "example.org", "ann", name, NULL);
}

static void put_file(struct world *w, const char *name, const char *content)
{
	char *path = in_folder(w, name);
	char *dir = g_path_get_dirname(path);
	assert_int_equal(g_mkdir_with_parents(dir, 0700), 0);
	/* Not g_file_set_contents, whose temporary name may be too long. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, content, strlen(content), NULL), RC_OK);
	close(fd);
	g_free(dir);
	g_free(path);
}

static void move(struct world *w, const char *from, const char *to)
{
	char *a = in_folder(w, from), *b = in_folder(w, to);
	assert_int_equal(rename(a, b), 0);
	g_free(a);
	g_free(b);
}

static bool there(struct world *w, const char *name)
{
	char *path = in_folder(w, name);
	bool result = access(path, F_OK) == 0;
	g_free(path);
	return result;
}

static void test_flags(void **state)
{
	static const struct {
		const char *label, *file, *want;
	} rows[] = {
	    {"new", "new/m", "m/2 "},
	    {"new with flags", "new/m:2,S", "m/S/2 "},
	    {"cur", "cur/m:2,", "m/2 "},
	    {"seen", "cur/m:2,S", "m/S/2 "},
	    {"trashed", "cur/m:2,T", "m/T/2 "},
	    {"all", "cur/m:2,DFPRST", "m/S/T/2 "},
	    {"flagged only", "cur/m:2,F", "m/2 "},
	    {"Dovecot's keywords are lower case", "cur/m:2,Sast", "m/S/2 "},
	    {"and are no flags", "cur/m:2,st", "m/2 "},
	    {"cur without flags", "cur/m", "m/2 "},
	    {"experimental", "cur/m:1,S", "m/2 "},
	    {"broken", "cur/m:", "m/2 "},
	    {"sizes in the name", "cur/m,S=2,W=3:2,S", "m,S=2,W=3/S/2 "},
	};
	struct world *w = *state;
	int failed = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char id[STORE_ID_MAX];
		put_file(w, "new/other", "12345");
		put_file(w, rows[i].file, "hi");
		g_strlcpy(id, rows[i].file + 4, sizeof(id));
		id[strcspn(id, ":")] = '\0';
		char *want = g_strdup_printf("%sother/5 ", rows[i].want);
		failed += world_str(rows[i].label, world_list(w, ann), want);
		failed += world_str(rows[i].label, world_content(w, ann, id), "hi");
		failed += unit_num(rows[i].label, store_msg_remove(w->store, ann, id, NULL), RC_OK);
		failed += unit_num(rows[i].label, there(w, rows[i].file), false);
		failed += world_str(rows[i].label, world_list(w, ann), "other/5 ");
		g_free(want);
	}
	assert_int_equal(failed, 0);
}

static void test_twice(void **state)
{
	struct world *w = *state;
	int failed = 0;
	put_file(w, "new/m", "text");
	put_file(w, "cur/m:2,S", "text");
	put_file(w, "cur/m:2,ST", "text");
	char *list = world_list(w, ann);
	failed +=
	    unit_num("once", g_str_has_prefix(list, "m/S") && strchr(list, ' ')[1] == '\0', 1);
	g_free(list);
	failed += unit_num("remove", store_msg_remove(w->store, ann, "m", NULL), RC_OK);
	/* Flags that nobody looks for first: that copy may show up once more, and then goes. */
	store_msg_remove(w->store, ann, "m", NULL);
	failed += world_str("all of them", world_list(w, ann), "");
	failed += unit_num("remove", store_msg_remove(w->store, ann, "m", NULL), RC_NOTFOUND);
	assert_int_equal(failed, 0);
}

/* A message that its reader moved to cur/ is the message that was committed. */
static void test_commit_after_move(void **state)
{
	struct world *w = *state;
	char *path = world_file(w, "m", "text");
	assert_int_equal(store_msg_commit(w->store, ann, "m", path, NULL), RC_OK);
	move(w, "new/m", "cur/m:2,S");
	assert_int_equal(store_msg_commit(w->store, ann, "m", path, NULL), RC_OK);
	assert_int_equal(world_str("as it was", world_list(w, ann), "m/S/4 "), 0);
	g_free(path);
}

static void make_hostile(struct world *w)
{
	char *secret = g_build_filename(w->dir, "secret", NULL);
	char *path;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_file_set_contents(secret, "secret", -1, NULL);
	path = in_folder(w, "new/link");
	assert_int_equal(symlink(secret, path), 0);
	g_free(path);
	path = in_folder(w, "cur/link2:2,S");
	assert_int_equal(symlink(secret, path), 0);
	g_free(path);
	path = in_folder(w, "new/loop");
	assert_int_equal(symlink("loop", path), 0);
	g_free(path);
	path = in_folder(w, "cur/fifo:2,");
	assert_int_equal(mkfifo(path, 0600), 0);
	g_free(path);
	path = in_folder(w, "new/directory");
	assert_int_equal(mkdir(path, 0700), 0);
	g_free(path);
	path = in_folder(w, "new/socket");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd >= 0 && strlen(path) < sizeof(address.sun_path)) {
		strcpy(address.sun_path, path);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	}
	close(fd);
	g_free(path);
	g_free(secret);
}

static void test_foreign(void **state)
{
	static const char *const foreign[] = {
	    "dovecot.index",
	    "dovecot.index.log",
	    "dovecot-uidlist",
	    "maildirfolder",
	    ".Sent/new/elsewhere",
	    ".Sent/cur/elsewhere:2,S",
	    "tmp/half",
	    "new/.hidden",
	    "new/with space",
	    "new/with\nnewline",
	    "new/j\xc3\xb6rg",
	    "new/100%",
	    "cur/:2,S",
	};
	static const char *const no_messages[] = {
	    "link", "link2", "loop", "fifo", "directory", "socket", "half", "elsewhere"};
	struct world *w = *state;
	int failed = 0, described = 0;
	char name[300];
	put_file(w, "new/ours", "To: ann@example.org\n");
	put_file(w, "cur/theirs:2,S", "saved by an IMAP client");
	for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++)
		put_file(w, foreign[i], "foreign");
	memset(name, 'n', sizeof(name));
	memcpy(name, "new/", 4);
	name[4 + NAME_MAX] = '\0';
	put_file(w, name, "as long as a name can be");
	name[4 + STORE_ID_MAX] = '\0';
	put_file(w, name, "longer than an id");
	make_hostile(w);
	alarm(20); /* a FIFO would block */
	failed += world_str("list", world_list(w, ann), "ours/20 theirs/S/23 ");
	for (size_t i = 0; i < G_N_ELEMENTS(no_messages); i++) {
		failed +=
		    world_str(no_messages[i], world_content(w, ann, no_messages[i]), "notfound");
		failed += unit_num(no_messages[i],
		    store_msg_remove(w->store, ann, no_messages[i], NULL), RC_NOTFOUND);
	}
	failed += unit_num("rebuild",
	    store_rebuild(w->store, NULL, world_describe, &described, NULL, NULL), RC_OK);
	failed += world_str("index", world_index(w, NULL), "ann@example.org/ours ");
	failed += unit_num("described", described, 2);
	alarm(0);
	for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++)
		failed += unit_num(foreign[i], there(w, foreign[i]), true);
	failed += unit_num("link", there(w, "new/link"), true);
	assert_int_equal(failed, 0);
}

static bool count_msg(void *ctx, const struct store_msg *msg)
{
	(void)msg;
	(*(int *)ctx)++;
	return true;
}

static void test_ten_thousand(void **state)
{
	struct world *w = *state;
	int failed = 0, count = 0;
	put_file(w, "new/ours", "ours");
	put_file(w, "cur/ours2:2,", "ours");
	for (int i = 0; i < 10000; i++) {
		char name[60];
		g_snprintf(name, sizeof(name), "%s/foreign file %d", i % 2 == 0 ? "new" : "cur", i);
		char *path = in_folder(w, name);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
		g_free(path);
	}
	failed += world_str("list", world_list(w, ann), "ours/4 ours2/4 ");
	failed += world_str("open", world_content(w, ann, "ours2"), "ours");
	for (int i = 0; i < 10000; i++) {
		char name[60];
		g_snprintf(name, sizeof(name), "cur/%d:2,S", i);
		char *path = in_folder(w, name);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
		g_free(path);
	}
	failed += unit_num("list", store_msg_list(w->store, ann, count_msg, &count, NULL), RC_OK);
	failed += unit_num("count", count, 10002);
	assert_int_equal(failed, 0);
}

/* Moves a message to cur/ and toggles its flags until it is killed. */
static pid_t start_imap_server(struct world *w, int messages)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	alarm(60);
	for (unsigned turn = 0;; turn++)
		for (int i = 0; i < messages; i++) {
			static const char *const flags[] = {"", "S", "FS", "RS"};
			char from[64], to[64];
			g_snprintf(from, sizeof(from), "cur/m%03d:2,%s", i, flags[turn % 4]);
			g_snprintf(to, sizeof(to), "cur/m%03d:2,%s", i, flags[(turn + 1) % 4]);
			char *a = in_folder(w, from), *b = in_folder(w, to);
			if (turn == 0) {
				g_free(a);
				g_snprintf(from, sizeof(from), "new/m%03d", i);
				a = in_folder(w, from);
			}
			(void)!rename(a, b);
			g_free(a);
			g_free(b);
		}
}

/* Whatever an IMAP server does meanwhile, no message may look gone: it would never be delivered. */
static void test_busy_imap_server(void **state)
{
	enum { MESSAGES = 200, LOOKS = 60 };
	struct world *w = *state;
	int failed = 0;
	for (int i = 0; i < MESSAGES; i++) {
		char name[20];
		g_snprintf(name, sizeof(name), "new/m%03d", i);
		put_file(w, name, "To: ann@example.org\n");
	}
	put_file(w, "cur/still:2,", "x");
	assert_int_equal(store_rebuild(w->store, ann, world_describe, NULL, NULL, NULL), RC_OK);
	pid_t pid = start_imap_server(w, MESSAGES);
	assert_true(pid > 0);
	for (int look = 0; look < LOOKS; look++) {
		int count = 0;
		struct err err = {.text = ""};
		char id[20];
		failed +=
		    unit_num("list", store_msg_list(w->store, ann, count_msg, &count, &err), RC_OK);
		failed += unit_num("count", count, MESSAGES + 1);
		g_snprintf(id, sizeof(id), "m%03d", look % MESSAGES);
		failed += world_str(id, world_content(w, ann, id), "To: ann@example.org\n");
		size_t changed = 99;
		failed += unit_num("rebuild",
		    store_rebuild(w->store, ann, world_describe, NULL, &changed, NULL), RC_OK);
		failed += unit_num("changed", (long long)changed, 0);
	}
	for (int i = 0; i < MESSAGES; i += 10) {
		char id[20];
		g_snprintf(id, sizeof(id), "m%03d", i);
		failed += unit_num(id, store_msg_remove(w->store, ann, id, NULL), RC_OK);
		failed += world_str(id, world_content(w, ann, id), "notfound");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(failed, 0);
}

/* ---- links and files in the place of directories ---- */

static bool add_user(void *ctx, const char *user)
{
	g_string_append_printf(ctx, "%s ", user);
	return true;
}

static void test_links_for_directories(void **state)
{
	static const char *const places[] = {"example.org", "example.org/ann",
	    "example.org/ann/new", "example.org/ann/cur", "example.org/ann/tmp"};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
		for (int file = 0; file < 2; file++) {
			struct world *w = world_new("maildir", "mem");
			char *trap = g_build_filename(w->dir, "trap", NULL);
			char *place = g_build_filename(w->users, places[i], NULL);
			char *parent = g_path_get_dirname(place);
			char *committed = world_file(w, "m", "To: ann@example.org\n");
			world_open(w);
			world_commit(w, "bob@example.com", "b", "To: bob@example.com\n");
			assert_int_equal(mkdir(trap, 0700), 0);
			assert_int_equal(g_mkdir_with_parents(parent, 0700), 0);
			if (file)
				g_file_set_contents(place, "a file", -1, NULL);
			else
				assert_int_equal(symlink(trap, place), 0);
			failed += unit_num(places[i],
			    store_msg_commit(w->store, ann, "m", committed, NULL), RC_PERM);
			failed += unit_num(places[i], access(committed, F_OK), 0);
			failed += unit_num(places[i],
			    store_rebuild(w->store, NULL, world_describe, NULL, NULL, NULL), RC_OK);
			failed += world_str(places[i], world_index(w, NULL), "bob@example.com/b ");
			failed += unit_num("the trap is empty", rmdir(trap), 0);
			g_free(committed);
			g_free(parent);
			g_free(place);
			g_free(trap);
			world_free(w);
		}
	assert_int_equal(failed, 0);
}

static void test_foreign_folders(void **state)
{
	static const char *const strange[] = {"lost+found/x", ".hidden/x", "example.org/.x",
	    "a%40b/c", "Example.org%/x", "example.org/a b", "%2E./x", "example.org/%61nn"};
	struct world *w = *state;
	int failed = 0;
	GString *users = g_string_new(NULL);
	world_commit(w, ann, "m", "To: ann@example.org\n");
	for (size_t i = 0; i < G_N_ELEMENTS(strange); i++) {
		char *path = g_build_filename(w->users, strange[i], "new", NULL);
		char *file = g_build_filename(path, "m", NULL);
		assert_int_equal(g_mkdir_with_parents(path, 0700), 0);
		g_file_set_contents(file, "To: eve@example.org\n", -1, NULL);
		g_free(file);
		g_free(path);
	}
	char *path = g_build_filename(w->users, "a file", NULL);
	g_file_set_contents(path, "x", -1, NULL);
	g_free(path);
	path = g_build_filename(w->users, "example.org", "file", NULL);
	g_file_set_contents(path, "x", -1, NULL);
	g_free(path);
	failed += unit_num("users", store_msg_users(w->store, add_user, users, NULL), RC_OK);
	failed += unit_num("ann", strstr(users->str, "ann@example.org ") != NULL, 1);
	failed += unit_num("no strangers", strstr(users->str, "eve") == NULL, 1);
	failed += unit_num(
	    "rebuild", store_rebuild(w->store, NULL, world_describe, NULL, NULL, NULL), RC_OK);
	/* "x@lost+found" is a name that addr_path makes, so it is a folder; it is named by that. */
	failed += unit_num("index", strstr(users->str, "@a%40b") == NULL, 1);
	char *index = world_index(w, NULL);
	failed +=
	    unit_num("nobody is indexed by a stranger's folder", strstr(index, "eve@") == NULL, 1);
	failed += unit_num("ann is", strstr(index, "ann@example.org/m ") != NULL, 1);
	g_free(index);
	g_string_free(users, TRUE);
	assert_int_equal(failed, 0);
}

/* ---- permissions ---- */

static int mode_of(struct world *w, const char *name)
{
	struct stat st;
	char *path = in_folder(w, name);
	int mode = stat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
	g_free(path);
	return mode;
}

static void test_modes(void **state)
{
	static const struct {
		const char *label;
		int users, mask, want_dir, file, want_file;
	} rows[] = {
	    {"private", 0700, 022, 0700, 0600, 0600},
	    {"private, group can read files", 0700, 022, 0700, 0640, 0640},
	    {"group without setgid", 0770, 007, 0700, 0600, 0600},
	    {"group", 02770, 007, 02770, 0600, 0640},
	    {"group may read", 02750, 007, 02750, 0600, 0640},
	    {"umask wins", 02770, 027, 02750, 0600, 0640},
	    {"umask wins", 02770, 077, 02700, 0600, 0600},
	    {"never for others", 02777, 002, 02770, 0600, 0640},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world *w = world_new("maildir", "mem");
		const char *l = rows[i].label;
		mode_t old = umask((mode_t)rows[i].mask);
		assert_int_equal(mkdir(w->users, 0700), 0);
		assert_int_equal(chmod(w->users, (mode_t)rows[i].users), 0);
		world_open(w);
		char *path = world_file(w, "m", "text");
		assert_int_equal(chmod(path, (mode_t)rows[i].file), 0);
		failed += unit_num(l, store_msg_commit(w->store, ann, "m", path, NULL), RC_OK);
		umask(old);
		failed += unit_num(l, mode_of(w, ""), rows[i].want_dir);
		failed += unit_num(l, mode_of(w, "new"), rows[i].want_dir);
		failed += unit_num(l, mode_of(w, "cur"), rows[i].want_dir);
		failed += unit_num(l, mode_of(w, "tmp"), rows[i].want_dir);
		failed += unit_num(l, mode_of(w, "new/m"), rows[i].want_file);
		g_free(path);
		world_free(w);
	}
	assert_int_equal(failed, 0);
}

static void test_modes_are_kept(void **state)
{
	struct world *w = *state;
	int failed = 0;
	char *path = in_folder(w, "cur");
	assert_int_equal(g_mkdir_with_parents(path, 0700), 0);
	assert_int_equal(chmod(path, 0751), 0);
	g_free(path);
	world_commit(w, ann, "m", "text");
	failed += unit_num("cur", mode_of(w, "cur"), 0751);
	failed += unit_num("new", mode_of(w, "new"), 0700);
	assert_int_equal(failed, 0);
}

/* The file takes the folder's group: rename alone would leave it incoming's. */
static void test_group(void **state)
{
	struct world *w = *state;
	struct stat st;
	if (geteuid() != 0) {
		print_message("skipped: only root can give a directory to another group\n");
		skip();
	}
	assert_int_equal(chown(w->users, (uid_t)-1, 12345), 0);
	assert_int_equal(chmod(w->users, 02750), 0);
	world_commit(w, ann, "m", "text");
	char *path = in_folder(w, "new/m");
	assert_int_equal(stat(path, &st), 0);
	g_free(path);
	assert_int_equal(st.st_gid, 12345);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(mode_of(w, "new"), 02750);
}

/* A folder, or a file in it, that we are not allowed to read is no reason to index nobody's. */
static void test_no_permission(void **state)
{
	struct world *w = *state;
	int failed = 0;
	if (geteuid() == 0) {
		print_message("skipped: root may read everything\n");
		skip();
	}
	world_commit(w, ann, "m", "To: ann@example.org\n");
	world_commit(w, ann, "theirs", "To: ann@example.org\n");
	world_commit(w, "bob@example.org", "b", "To: bob@example.org\n");
	char *file = in_folder(w, "new/theirs"), *dir = in_folder(w, "new");
	assert_int_equal(chmod(file, 0), 0);
	failed += world_str("file", world_content(w, ann, "theirs"), "perm");
	failed += unit_num(
	    "rebuild", store_rebuild(w->store, NULL, world_describe, NULL, NULL, NULL), RC_OK);
	failed += world_str("index", world_index(w, NULL), "ann@example.org/m bob@example.org/b ");
	assert_int_equal(chmod(dir, 0), 0);
	failed += world_str("dir", world_content(w, ann, "m"), "perm");
	failed += unit_num(
	    "rebuild", store_rebuild(w->store, NULL, world_describe, NULL, NULL, NULL), RC_OK);
	failed += world_str("nothing is taken for gone", world_index(w, NULL),
	    "ann@example.org/m bob@example.org/b ");
	chmod(dir, 0700);
	g_free(dir);
	g_free(file);
	assert_int_equal(failed, 0);
}

/* ---- other file systems, and a folder that disappears ---- */

static void test_other_file_system(void **state)
{
	struct world *w = *state;
	struct stat here, shm;
	char dir[] = "/dev/shm/pullyu-store-XXXXXX";
	int failed = 0;
	if (stat(w->users, &here) != 0 || stat("/dev/shm", &shm) != 0 ||
	    here.st_dev == shm.st_dev || mkdtemp(dir) == NULL) {
		print_message("skipped: no second file system at /dev/shm\n");
		skip();
	}
	char *path = g_build_filename(dir, "m", NULL);
	put_file(w, "tmp/m", "left by a crash, and longer than the message");
	g_file_set_contents(path, "text", -1, NULL);
	failed += unit_num("commit", store_msg_commit(w->store, ann, "m", path, NULL), RC_OK);
	failed += world_str("content", world_content(w, ann, "m"), "text");
	failed += unit_num("source", access(path, F_OK), -1);
	failed += unit_num("tmp", there(w, "tmp/m"), false);
	failed += unit_num("again", store_msg_commit(w->store, ann, "m", path, NULL), RC_OK);
	/* A crash between the rename of the copy and the unlink of the source. */
	g_file_set_contents(path, "text", -1, NULL);
	failed += unit_num("spare", store_msg_commit(w->store, ann, "m", path, NULL), RC_OK);
	failed += unit_num("source", access(path, F_OK), -1);
	failed += world_str("once", world_list(w, ann), "m/4 ");
	g_file_set_contents(path, "other", -1, NULL);
	failed += unit_num("other", store_msg_commit(w->store, ann, "m", path, NULL), RC_PERM);
	failed += unit_num("source stays", access(path, F_OK), 0);
	g_free(path);
	world_remove_tree(dir);
	assert_int_equal(failed, 0);
}

static void test_folder_disappears(void **state)
{
	struct world *w = *state;
	int failed = 0;
	world_commit(w, ann, "1", "one");
	char *dir = in_folder(w, "");
	world_remove_tree(dir);
	failed += world_str("none", world_list(w, ann), "");
	failed += world_str("gone", world_content(w, ann, "1"), "notfound");
	failed += unit_num("remove", store_msg_remove(w->store, ann, "1", NULL), RC_NOTFOUND);
	failed += unit_num("made again", world_commit(w, ann, "2", "two"), RC_OK);
	failed += world_str("there", world_list(w, ann), "2/3 ");
	/* In the middle of a transaction, whose end syncs what is there. */
	failed += unit_num("begin", store_begin(w->store, NULL), RC_OK);
	failed += unit_num("in txn", world_commit(w, ann, "3", "three"), RC_OK);
	world_remove_tree(dir);
	failed += unit_num("commit", store_commit(w->store, NULL), RC_OK);
	failed += unit_num("made again", world_commit(w, ann, "4", "four"), RC_OK);
	failed += world_str("there", world_list(w, ann), "4/4 ");
	g_free(dir);
	assert_int_equal(failed, 0);
}

/* The file itself, or a file in the folder, as the file to take over. */
static void test_commit_itself(void **state)
{
	struct world *w = *state;
	int failed = 0;
	world_commit(w, ann, "m", "text");
	char *path = in_folder(w, "new/m");
	failed += unit_num("itself", store_msg_commit(w->store, ann, "m", path, NULL), RC_PERM);
	failed += world_str("still there", world_content(w, ann, "m"), "text");
	/* A second name of the same file, as a file system without atomic rename may leave. */
	char *name = g_build_filename(w->incoming, "m", NULL);
	assert_int_equal(link(path, name), 0);
	failed += unit_num("link", store_msg_commit(w->store, ann, "m", name, NULL), RC_OK);
	failed += unit_num("name is gone", access(name, F_OK), -1);
	failed += world_str("still there", world_content(w, ann, "m"), "text");
	g_free(name);
	g_free(path);
	assert_int_equal(failed, 0);
}

static void test_commit_hostile_path(void **state)
{
	struct world *w = *state;
	char *target = world_file(w, "target", "text");
	char *path = g_build_filename(w->incoming, "m", NULL);
	int failed = 0;
	assert_int_equal(symlink(target, path), 0);
	failed += unit_num("link", store_msg_commit(w->store, ann, "m", path, NULL), RC_PERM);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(20);
	failed += unit_num("fifo", store_msg_commit(w->store, ann, "m", path, NULL), RC_PERM);
	alarm(0);
	failed += world_str("none", world_list(w, ann), "");
	g_free(path);
	g_free(target);
	assert_int_equal(failed, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_flags, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_commit_after_move, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_foreign, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ten_thousand, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_busy_imap_server, setup, teardown),
	    cmocka_unit_test(test_links_for_directories),
	    cmocka_unit_test_setup_teardown(test_foreign_folders, setup, teardown),
	    cmocka_unit_test(test_modes),
	    cmocka_unit_test_setup_teardown(test_modes_are_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_group, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_no_permission, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_other_file_system, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_folder_disappears, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_commit_itself, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_commit_hostile_path, setup, teardown),
	};
	return cmocka_run_group_tests_name("store: maildir", tests, NULL, NULL);
}
