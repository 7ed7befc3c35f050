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
	etc/rules.d/65-languages.ini \
	etc/rules.d/70-newsletter.ini \
	etc/rules.d/80-people.ini

# pullyu.conf gets the paths of this build. An admin's file is never overwritten: what is installed
# beside it, with the ending .example, always is ours.
pullyu_sysconfdir = $(sysconfdir)/pullyu
nodist_pullyu_sysconf_DATA = etc/pullyu.conf.example
EXTRA_DIST += etc/pullyu.conf
CLEANFILES += etc/pullyu.conf.example

etc/pullyu.conf.example: etc/pullyu.conf Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && sed \
		-e 's|^\(#[a-z_]* = \)/etc/pullyu|\1$(sysconfdir)/pullyu|' \
		-e 's|^\(#[a-z_]* = \)/var/spool/pullyu|\1$(spooldir)|' \
		-e 's|^\(#[a-z_]* = \)/var/lib/pullyu|\1$(localstatedir)/lib/pullyu|' \
		-e 's|^\(#[a-z_]* = \)/run/pullyu|\1$(runstatedir)/pullyu|' \
		$(srcdir)/etc/pullyu.conf >$@.tmp && mv $@.tmp $@

install-data-hook:
	@conf="$(DESTDIR)$(pullyu_sysconfdir)/pullyu.conf"; \
	if test -e "$$conf" || test -h "$$conf"; then \
		echo "$$conf is there already: not overwritten"; \
	else \
		echo " $(INSTALL_DATA) etc/pullyu.conf.example $$conf"; \
		$(INSTALL_DATA) etc/pullyu.conf.example "$$conf"; \
	fi

# What an admin changed stays.
uninstall-hook:
	@conf="$(DESTDIR)$(pullyu_sysconfdir)/pullyu.conf"; \
	if cmp -s etc/pullyu.conf.example "$$conf"; then rm -f "$$conf"; fi
