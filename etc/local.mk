# The rules stand in files by theme; an admin's own go beside them, in a file that sorts behind.
rulesdir = $(sysconfdir)/pullyu/rules.d
dist_rules_DATA = \
	etc/rules.d/10-classes.ini \
	etc/rules.d/20-protocol.ini \
	etc/rules.d/30-lists.ini \
	etc/rules.d/40-platforms.ini \
	etc/rules.d/50-services.ini \
	etc/rules.d/60-security.ini \
	etc/rules.d/61-transactional.ini \
	etc/rules.d/70-newsletter.ini \
	etc/rules.d/80-people.ini
